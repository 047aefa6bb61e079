// MetaServer asks the API server through CloudCore (its part: the package httpserver) and answers from its own store only while
// the cloud cannot be reached. What the cloud refused is refused.
package metaserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
	utilwaitgroup "k8s.io/apimachinery/pkg/util/waitgroup"
	apirequest "k8s.io/apiserver/pkg/endpoints/request"
	genericfilters "k8s.io/apiserver/pkg/server/filters"
	"k8s.io/klog/v2"

	"github.com/kubeedge/kubeedge/edge/pkg/common/cloudconnection"
	edgehubconfig "github.com/kubeedge/kubeedge/edge/pkg/edgehub/config"
	kefeatures "github.com/kubeedge/kubeedge/pkg/features"
)

const (
	edgeadmAPI = "/edgeadm/api"
	// edgeadmAnswer is the header by which CloudCore says who answered: "api-server", "refused" or "unreachable".
	edgeadmAnswer = "Edgeadm-Answer"
	// edgeadmFirstByte is how long the cloud may think about a request before the store is asked.
	edgeadmFirstByte = 10 * time.Second
)

// edgeadmAsked is the key in a request's context for why the cloud did not answer it.
type edgeadmAsked struct{}

// errEdgeadmUpstream: a CloudCore without its part of this. All goes upstream's way then.
var errEdgeadmUpstream = errors.New("this CloudCore does not pass requests on")

// edgeadmBeforeAuthentication lets the cloud decide about requests with a token. What the node itself knows of rights
// (ServiceAccountAccess) decides while the cloud is away. It has upstream's signature of WithWaitGroup, whose place it takes.
func edgeadmBeforeAuthentication(handler http.Handler, long apirequest.LongRunningRequestCheck, wg *utilwaitgroup.SafeWaitGroup) http.Handler {
	secure := kefeatures.DefaultFeatureGate.Enabled(kefeatures.RequireAuthorization)
	fromCloud := edgeadmThroughCloud(handler)
	return genericfilters.WithWaitGroup(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if secure && strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
			fromCloud.ServeHTTP(w, r)
			return
		}
		handler.ServeHTTP(w, r)
	}), long, wg)
}

// edgeadmAfterAuthentication is for what the node let in itself: requests without a token where MetaServer is plain, discovery
// where it is secure, and reads while the cloud is away.
func edgeadmAfterAuthentication(upstream http.Handler) http.Handler {
	return edgeadmThroughCloud(edgeadmOffline(upstream))
}

// edgeadmThroughCloud answers with what the API server says, and calls next if it cannot be reached.
func edgeadmThroughCloud(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, ok := apirequest.RequestInfoFrom(r.Context())
		if !ok || r.Context().Value(edgeadmAsked{}) != nil || edgeadmIsLocal(info, r) {
			next.ServeHTTP(w, r)
			return
		}
		if err := edgeadmAsk(w, r, info); err != nil {
			klog.Warningf("[edgeadm] %s %s without the cloud: %v", r.Method, r.URL.Path, err)
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), edgeadmAsked{}, err)))
		}
	})
}

// edgeadmIsLocal: upstream's own verbs of MetaServer, which are no part of the Kubernetes API, and connections that are taken over.
func edgeadmIsLocal(info *apirequest.RequestInfo, r *http.Request) bool {
	switch info.Name {
	case "restart", "confirm-upgrade", "unhold-upgrade":
		return info.Verb == "create"
	}
	return r.Header.Get("Upgrade") != "" || info.Resource == "devices" && info.Verb == "update"
}

// edgeadmAsk returns an error if the cloud could not be reached and nothing has been written yet.
func edgeadmAsk(w http.ResponseWriter, r *http.Request, info *apirequest.RequestInfo) error {
	if !cloudconnection.IsConnected() {
		return cloudconnection.ErrConnectionLost
	}
	server, err := url.Parse(edgehubconfig.Config.HTTPServer)
	if err != nil {
		return err
	}
	server.Path = edgeadmAPI
	transport, err := edgeadmCloud.get()
	if err != nil {
		return err
	}
	// A watch ends with the connection to the cloud, so that the client begins anew: from the store, or once the cloud is back.
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	if info.Verb == "watch" {
		go edgeadmWhile(ctx, cancel, cloudconnection.IsConnected)
	}
	keep := edgeadmKeeps(info, r)
	var unreachable error
	proxy := httputil.ReverseProxy{
		Transport:     transport,
		FlushInterval: -1,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(server)
			if keep {
				// What is kept has to be read: as JSON, which every client takes that did not ask for another form alone.
				p.Out.Header.Set("Accept", "application/json")
				p.Out.Header.Del("Accept-Encoding")
			}
		},
		ModifyResponse: func(response *http.Response) error {
			switch response.Header.Get(edgeadmAnswer) {
			case "api-server", "refused":
			case "":
				return errEdgeadmUpstream
			default:
				return fmt.Errorf("CloudCore answers %s", response.Status)
			}
			response.Header.Del(edgeadmAnswer)
			if keep && response.StatusCode == http.StatusOK {
				return edgeadmKeep(info, r, response)
			}
			return nil
		},
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) { unreachable = err },
	}
	proxy.ServeHTTP(w, r.WithContext(ctx))
	if unreachable != nil && r.Context().Err() == nil {
		edgeadmCloud.forget(transport)
		return unreachable
	}
	return nil
}

// edgeadmWhile cancels once the condition no longer holds.
func edgeadmWhile(ctx context.Context, cancel context.CancelFunc, holds func() bool) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if !holds() {
				cancel()
				return
			}
		}
	}
}

// edgeadmConnection is the way to CloudCore. It is made anew when the node's certificate has been renewed, and after a failure.
type edgeadmConnection struct {
	lock      sync.Mutex
	transport *http.Transport
	// of the certificate's file
	changed time.Time
}

var edgeadmCloud edgeadmConnection

func (c *edgeadmConnection) get() (*http.Transport, error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	hub := edgehubconfig.Config
	file, err := os.Stat(hub.TLSCertFile)
	if err != nil {
		return nil, err
	}
	if c.transport != nil && file.ModTime().Equal(c.changed) {
		return c.transport, nil
	}
	certificate, err := tls.LoadX509KeyPair(hub.TLSCertFile, hub.TLSPrivateKeyFile)
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(hub.TLSCAFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s has no certificate", hub.TLSCAFile)
	}
	transport := &http.Transport{
		TLSClientConfig:       &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
		DialContext:           (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: edgeadmFirstByte,
		IdleConnTimeout:       90 * time.Second,
	}
	// A connection that died without a word is found out within 15 s.
	pings, err := http2.ConfigureTransports(transport)
	if err != nil {
		return nil, err
	}
	pings.ReadIdleTimeout, pings.PingTimeout = 10*time.Second, 5*time.Second
	c.transport, c.changed = transport, file.ModTime()
	return transport, nil
}

func (c *edgeadmConnection) forget(transport *http.Transport) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.transport == transport {
		c.transport = nil
	}
	transport.CloseIdleConnections()
}
