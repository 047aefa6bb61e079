package httpserver

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"
)

// EdgeMesh's gateway lists and watches the Secrets of all namespaces, to find the certificates of its Gateways. With that right an
// edge node would hold the keys of the cluster. So it has none for Secrets. Whoever has the right edgeadm.io/gatewaysecrets gets
// through here those Secrets alone that hold a certificate (type kubernetes.io/tls) and that a Gateway of EdgeMesh names in its
// own namespace: a list and a watch of them, which ends when other names count, so that the client lists again.

const (
	edgeadmSecrets  = "/api/v1/secrets"
	edgeadmGateways = "/apis/networking.istio.io/v1alpha3/gateways"
	// edgeadmRetry is how long it takes until Gateways are looked for again, where that failed.
	edgeadmRetry = 5 * time.Second
)

// edgeadmNamedAt is which Secrets counted at the last list of a client. A watch goes on from there, or the client has to list again.
var edgeadmNamedAt sync.Map

// edgeadmGatewayOf returns who asks if this is such a request, of somebody who has the right to it; else "".
func edgeadmGatewayOf(r *http.Request, node, token string) string {
	if r.Method != http.MethodGet || strings.TrimSuffix(r.URL.Path, "/") != edgeadmSecrets {
		return ""
	}
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	user, err := edgeadmWithoutToken(ctx, node)
	if token != "" {
		user, err = edgeadmOfToken(ctx, token)
	}
	if err != nil || !edgeadmMay(ctx, user, "list", "gatewaysecrets") {
		return ""
	}
	return strings.Join(append([]string{node, user.Username}, user.Extra["authentication.kubernetes.io/pod-uid"]...), "/")
}

// edgeadmServeGatewaySecrets asks with CloudCore's own rights and lets through what counts.
func edgeadmServeGatewaySecrets(server *url.URL, own http.RoundTripper, client string, w http.ResponseWriter, r *http.Request) {
	gateways := edgeadmGatewayReader{server, own}
	named, version, err := gateways.named(r.Context())
	if err != nil {
		edgeadmRefuse(w, http.StatusBadGateway, "unreachable", err)
		return
	}
	if r.URL.Query().Get("fieldSelector") != "" {
		edgeadmRefuse(w, http.StatusForbidden, "refused", fmt.Errorf("Secrets of Gateways are listed without a fieldSelector"))
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	watch, _ := strconv.ParseBool(r.URL.Query().Get("watch"))
	if before, known := edgeadmNamedAt.Load(client); watch && (!known || !maps.Equal(before.(map[string]bool), named)) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set(edgeadmAnswer, "api-server")
		edgeadmListAgain(w)
		return
	}
	proxy := &httputil.ReverseProxy{
		Transport:     own,
		FlushInterval: -1,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(server)
			p.Out.Host = ""
			// Nothing of the client's headers: CloudCore asks.
			p.Out.Header = http.Header{"Accept": []string{"application/json"}}
			query := p.Out.URL.Query()
			query.Set("fieldSelector", "type="+string(corev1.SecretTypeTLS))
			p.Out.URL.RawQuery = query.Encode()
		},
		ModifyResponse: func(response *http.Response) error {
			response.Header.Set(edgeadmAnswer, "api-server")
			if response.StatusCode != http.StatusOK {
				return nil
			}
			if watch {
				response.Body = edgeadmNamedEvents(response.Body, named)
				return nil
			}
			edgeadmNamedAt.Store(client, named)
			return edgeadmNamedItems(response, named)
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			if ctx.Err() == nil {
				edgeadmRefuse(w, http.StatusBadGateway, "unreachable", err)
			}
		},
	}
	if watch {
		go gateways.untilOthersCount(ctx, named, version, cancel)
	}
	proxy.ServeHTTP(w, r.WithContext(ctx))
	if watch && r.Context().Err() == nil {
		edgeadmListAgain(w)
	}
}

// edgeadmListAgain ends a watch so that the client lists anew, as after an expired resourceVersion.
func edgeadmListAgain(w http.ResponseWriter) {
	status := apierrors.NewResourceExpired("other Secrets are named by Gateways now").Status()
	status.Kind, status.APIVersion = "Status", "v1"
	if event, err := json.Marshal(map[string]any{"type": "ERROR", "object": status}); err == nil {
		_, _ = w.Write(append(event, '\n'))
	}
}

// edgeadmObject is what has to be known of a Secret. The rest passes as it is.
type edgeadmObject struct {
	Metadata struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
	} `json:"metadata"`
	Type corev1.SecretType `json:"type"`
}

func edgeadmCounts(raw json.RawMessage, named map[string]bool) bool {
	var object edgeadmObject
	err := json.Unmarshal(raw, &object)
	return err == nil && object.Type == corev1.SecretTypeTLS && named[object.Metadata.Namespace+"/"+object.Metadata.Name]
}

func edgeadmNamedItems(response *http.Response, named map[string]bool) error {
	defer response.Body.Close()
	var list struct {
		APIVersion string            `json:"apiVersion"`
		Kind       string            `json:"kind"`
		Metadata   json.RawMessage   `json:"metadata"`
		Items      []json.RawMessage `json:"items"`
	}
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		return err
	}
	kept := []json.RawMessage{}
	for _, item := range list.Items {
		if edgeadmCounts(item, named) {
			kept = append(kept, item)
		}
	}
	list.Items = kept
	body, err := json.Marshal(list)
	if err != nil {
		return err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	response.ContentLength = int64(len(body))
	response.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

// edgeadmNamedEvents lets the events of Secrets through that count, and bookmarks and errors.
func edgeadmNamedEvents(events io.ReadCloser, named map[string]bool) io.ReadCloser {
	reader, writer := io.Pipe()
	go func() {
		decoder, encoder := json.NewDecoder(events), json.NewEncoder(writer)
		for {
			var event edgeadmEvent
			err := decoder.Decode(&event)
			if err == nil && (event.Type == "BOOKMARK" || event.Type == "ERROR" || edgeadmCounts(event.Object, named)) {
				err = encoder.Encode(event)
			}
			if err != nil {
				_ = writer.CloseWithError(io.EOF)
				return
			}
		}
	}()
	return edgeadmPipe{reader, events}
}

// edgeadmGatewayReader reads Gateways with CloudCore's own rights.
type edgeadmGatewayReader struct {
	server    *url.URL
	transport http.RoundTripper
}

func (g edgeadmGatewayReader) get(ctx context.Context, query string) (*http.Response, error) {
	address := *g.server
	address.Path, address.RawQuery = strings.TrimSuffix(address.Path, "/")+edgeadmGateways, query
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	return g.transport.RoundTrip(request)
}

// named returns the Secrets that Gateways of EdgeMesh name, as namespace/name, and the version of the list.
func (g edgeadmGatewayReader) named(ctx context.Context) (map[string]bool, string, error) {
	response, err := g.get(ctx, "")
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	// Without the definition of Gateways there are none.
	if response.StatusCode == http.StatusNotFound {
		return map[string]bool{}, "", nil
	}
	if response.StatusCode != http.StatusOK {
		return nil, "", fmt.Errorf("Gateways cannot be listed: %s", response.Status)
	}
	var list struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
		Items []struct {
			Metadata struct {
				Namespace string `json:"namespace"`
			} `json:"metadata"`
			Spec struct {
				Selector map[string]string `json:"selector"`
				Servers  []struct {
					TLS struct {
						CredentialName string `json:"credentialName"`
					} `json:"tls"`
				} `json:"servers"`
			} `json:"spec"`
		} `json:"items"`
	}
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		return nil, "", err
	}
	named := map[string]bool{}
	for _, gateway := range list.Items {
		if gateway.Spec.Selector["kubeedge"] != "edgemesh-gateway" {
			continue
		}
		for _, one := range gateway.Spec.Servers {
			if one.TLS.CredentialName != "" {
				named[gateway.Metadata.Namespace+"/"+one.TLS.CredentialName] = true
			}
		}
	}
	return named, list.Metadata.ResourceVersion, nil
}

// untilOthersCount ends when Gateways name other Secrets than these. Each change of a Gateway is a reason to look.
func (g edgeadmGatewayReader) untilOthersCount(ctx context.Context, before map[string]bool, version string, end func()) {
	for ctx.Err() == nil {
		if err := g.awaitChange(ctx, version); err != nil {
			select {
			case <-ctx.Done():
				return
			case <-time.After(edgeadmRetry):
			}
		}
		now, at, err := g.named(ctx)
		if err != nil {
			if ctx.Err() == nil {
				klog.Warningf("[edgeadm] which Secrets Gateways name: %v", err)
			}
			continue
		}
		if !maps.Equal(before, now) {
			end()
			return
		}
		version = at
	}
}

// awaitChange returns after the first event since the version, or an error at the end of the watch.
func (g edgeadmGatewayReader) awaitChange(ctx context.Context, version string) error {
	if version == "" {
		return fmt.Errorf("there is no definition of Gateways")
	}
	response, err := g.get(ctx, url.Values{"watch": {"true"}, "resourceVersion": {version}}.Encode())
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("Gateways cannot be watched: %s", response.Status)
	}
	var event edgeadmEvent
	return json.NewDecoder(response.Body).Decode(&event)
}
