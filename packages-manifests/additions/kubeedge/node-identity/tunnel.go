package cloudstream

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/emicklei/go-restful"
	"github.com/gorilla/websocket"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/kubeedge/kubeedge/cloud/pkg/common/client"
	"github.com/kubeedge/kubeedge/cloud/pkg/edgeadm/node"
	"github.com/kubeedge/kubeedge/pkg/stream"
)

// edgeadmAdmit refuses a tunnel under another name than its certificate's. The address, which is the second name that the
// tunnel is found by, has to be one that no other node has; else it is found by its node's name alone.
func edgeadmAdmit(r *restful.Request, w *restful.Response) bool {
	ctx, cancel := context.WithTimeout(r.Request.Context(), 10*time.Second)
	defer cancel()
	header := r.Request.Header
	asked, address := header.Get(stream.SessionKeyHostNameOverride), header.Get(stream.SessionKeyInternalIP)
	name, err := edgeadmTunnelOf(ctx, r.Request, asked, address)
	if err != nil {
		klog.Errorf("[edgeadm] a tunnel as node %q from %s is refused: %v", asked, r.Request.RemoteAddr, err)
		w.WriteHeader(http.StatusForbidden)
		return false
	}
	own, err := edgeadmOwns(ctx, name, address)
	if err != nil {
		klog.Errorf("[edgeadm] a tunnel of node %s is refused: %v", name, err)
		w.WriteHeader(http.StatusServiceUnavailable)
		return false
	}
	if !own {
		header.Set(stream.SessionKeyInternalIP, name)
	}
	return true
}

func edgeadmTunnelOf(ctx context.Context, r *http.Request, asked, address string) (string, error) {
	if r.TLS == nil {
		return "", fmt.Errorf("no certificate")
	}
	name, err := node.Prove(ctx, r.TLS.PeerCertificates)
	if err != nil {
		return "", err
	}
	if asked != name {
		return "", fmt.Errorf("the certificate is that of node %s", name)
	}
	if address != "" && net.ParseIP(address) == nil {
		return "", fmt.Errorf("%q is no IP address", address)
	}
	return name, nil
}

func edgeadmOwns(ctx context.Context, name, address string) (bool, error) {
	if address == "" {
		return false, nil
	}
	nodes, err := client.GetKubeClient().CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return false, fmt.Errorf("the nodes cannot be listed: %v", err)
	}
	for _, other := range nodes.Items {
		for _, its := range other.Status.Addresses {
			if other.Name != name && its.Address == address {
				klog.Warningf("[edgeadm] nodes %s and %s have the same address %s", name, other.Name, address)
				return false, nil
			}
		}
	}
	return true, nil
}

// edgeadmWatched ends the tunnel when its node is removed.
func edgeadmWatched(tunnel *websocket.Conn, err error) func(*restful.Request) (*websocket.Conn, error) {
	return func(r *restful.Request) (*websocket.Conn, error) {
		if err != nil {
			return tunnel, err
		}
		ctx, certificate := r.Request.Context(), r.Request.TLS.PeerCertificates[0]
		name := r.Request.Header.Get(stream.SessionKeyHostNameOverride)
		// The context ends with the function that serves the tunnel.
		node.Watch(name, certificate, func() bool { return ctx.Err() != nil }, func() { _ = tunnel.Close() })
		return tunnel, nil
	}
}
