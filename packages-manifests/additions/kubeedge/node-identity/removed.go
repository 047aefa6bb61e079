package node

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/kubeedge/kubeedge/cloud/pkg/common/client"
)

const (
	// The ConfigMap of removed nodes: name of the node -> time (RFC 3339). Certificates of that name which were issued until
	// then are worth nothing. `edgeadm reset --remove-node` writes it.
	removedNamespace = "kubeedge"
	removedName      = "edgeadm-removed-nodes"
	// How long the list is taken from memory, and how often a connection that stands is looked at again.
	freshness = 2 * time.Second
)

// ErrRemoved is the reason why the certificate of a removed node is refused.
var ErrRemoved = errors.New("the certificate was issued before its node was removed from the cluster")

var removed struct {
	sync.Mutex
	read  time.Time
	times map[string]string
}

// NotRemoved returns an error if the certificate was issued before its node was removed, or if that cannot be found out.
func NotRemoved(ctx context.Context, name string, certificate *x509.Certificate) error {
	until, err := RemovedAt(ctx, name)
	if err != nil {
		return err
	}
	if !certificate.NotBefore.After(until) {
		return fmt.Errorf("node %s: %w", name, ErrRemoved)
	}
	return nil
}

// RemovedAt returns when a node was removed, or the zero time. A time that cannot be read counts as an error.
func RemovedAt(ctx context.Context, name string) (time.Time, error) {
	removed.Lock()
	defer removed.Unlock()
	if time.Since(removed.read) > freshness {
		found, err := client.GetKubeClient().CoreV1().ConfigMaps(removedNamespace).Get(ctx, removedName, metav1.GetOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return time.Time{}, fmt.Errorf("the list of removed nodes cannot be read: %v", err)
		}
		removed.times = nil
		if err == nil {
			removed.times = found.Data
		}
		removed.read = time.Now()
	}
	text, listed := removed.times[name]
	if !listed {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, text)
}

// Watch ends a connection when its node is removed. It ends itself when the connection has closed.
func Watch(name string, certificate *x509.Certificate, closed func() bool, end func()) {
	go func() {
		ticker := time.NewTicker(freshness)
		defer ticker.Stop()
		for range ticker.C {
			if closed() {
				return
			}
			// What cannot be found out now is asked again.
			if err := NotRemoved(context.Background(), name, certificate); errors.Is(err, ErrRemoved) {
				klog.Warningf("[edgeadm] a connection ends: %v", err)
				end()
				return
			}
		}
	}()
}
