// An ordinary program in a Pod: client-go's InClusterConfig, nothing about edges.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func main() {
	// Something to reach: it needs no cloud, and goes on without one.
	http.HandleFunc("/fetch", fetch)
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "served by", os.Getenv("POD_NAME"))
	})
	go http.ListenAndServe(":8080", nil)
	for {
		if err := list(); err != nil {
			fmt.Println("error:", err)
		}
		time.Sleep(2 * time.Second)
	}
}

// fetch asks ?url= as any program in this Pod would: with the Pod's own DNS and network, and a new connection each time.
func fetch(w http.ResponseWriter, r *http.Request) {
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(r.URL.Query().Get("url"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	w.WriteHeader(response.StatusCode)
	io.Copy(w, response.Body)
}

func list() error {
	config, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx := context.Background()
	services, err := client.CoreV1().Services("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	pods, err := client.CoreV1().Pods(os.Getenv("POD_NAMESPACE")).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, service := range services.Items {
		fmt.Printf("service %s/%s from %s\n", service.Namespace, service.Name, config.Host)
	}
	for _, pod := range pods.Items {
		fmt.Printf("pod %s/%s from %s\n", pod.Namespace, pod.Name, config.Host)
	}
	return nil
}
