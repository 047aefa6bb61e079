// Edge nodes ask the API server through CloudCore: each request as its own sender.
//
// Upstream's MetaServer sends what a Pod asks as a message to the dynamic controller, which asks the API server as the node.
// So the Pod's own rights do not count, a refusal becomes an empty list, and what is not JSON of a known kind gets lost.
// Here CloudCore passes HTTP requests on as they are. A request with a token keeps it: the API server decides by the rights
// of that Pod. A request without one acts as the group edgeadm:metaserver, to which the ClusterRole edgeadm-metaserver is bound,
// if the node's MetaServer is plain (requester.go). EdgeMesh's gateway gets the Secrets of its Gateways alone (gateway_secrets.go).
// An edge node proves itself by its certificate, and only tokens of Pods on that node are taken.
package httpserver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/emicklei/go-restful"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/kubeedge/kubeedge/cloud/pkg/common/client"
	"github.com/kubeedge/kubeedge/cloud/pkg/edgeadm/node"
)

const (
	edgeadmAPI = "/edgeadm/api"
	// edgeadmAnswer is a header of each answer that comes from here. Its value says who answered.
	edgeadmAnswer = "Edgeadm-Answer"
	// edgeadmGroup is what a request without a token acts as where MetaServer is plain.
	edgeadmGroup = "edgeadm:metaserver"
)

// edgeadmContainer returns a container that serves the API server's paths below edgeadmAPI, too.
func edgeadmContainer() *restful.Container {
	container := restful.NewContainer()
	container.Handle(edgeadmAPI+"/", http.StripPrefix(edgeadmAPI, newEdgeadmAPI()))
	return container
}

// newEdgeadmAPI connects with CloudCore's own API server: once with CloudCore's rights, once with none.
func newEdgeadmAPI() http.Handler {
	failed := func(err error) http.Handler {
		klog.Errorf("[edgeadm] edge nodes cannot reach the API server through CloudCore: %v", err)
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			edgeadmRefuse(w, http.StatusBadGateway, "unreachable", err)
		})
	}
	server, _, err := rest.DefaultServerUrlFor(client.KubeConfig)
	if err != nil {
		return failed(err)
	}
	own, err := rest.TransportFor(client.KubeConfig)
	if err != nil {
		return failed(err)
	}
	none, err := rest.TransportFor(rest.AnonymousClientConfig(client.KubeConfig))
	if err != nil {
		return failed(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		node, err := edgeadmNode(r)
		if err != nil {
			edgeadmRefuse(w, http.StatusUnauthorized, "refused", err)
			return
		}
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if token != "" {
			if err := edgeadmTokenOf(r.Context(), token, node); err != nil {
				klog.Warningf("[edgeadm] node %s: %v", node, err)
				edgeadmRefuse(w, http.StatusUnauthorized, "refused", err)
				return
			}
		}
		if gateway := edgeadmGatewayOf(r, node, token); gateway != "" {
			edgeadmServeGatewaySecrets(server, own, gateway, w, r)
			return
		}
		if token != "" {
			edgeadmForward(server, none, node, nil).ServeHTTP(w, r)
			return
		}
		user, err := edgeadmWithoutToken(r.Context(), node)
		if err != nil {
			edgeadmRefuse(w, http.StatusServiceUnavailable, "unreachable", err)
			return
		}
		edgeadmForward(server, own, node, &user).ServeHTTP(w, r)
	})
}

// edgeadmForward passes requests on. as: whom they act as; nil: they have a token.
func edgeadmForward(server *url.URL, transport http.RoundTripper, node string, as *authenticationv1.UserInfo) http.Handler {
	return &httputil.ReverseProxy{
		Transport:     transport,
		FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(server)
			r.Out.Host = ""
			// Whose request this is, is said here and by nobody else.
			for name := range r.Out.Header {
				if strings.HasPrefix(name, "Impersonate-") || strings.HasPrefix(name, "X-Remote-") {
					r.Out.Header.Del(name)
				}
			}
			if as != nil {
				r.Out.Header.Del("Authorization")
				r.Out.Header.Set("Impersonate-User", as.Username)
				r.Out.Header["Impersonate-Group"] = as.Groups
			}
		},
		ModifyResponse: func(response *http.Response) error {
			response.Header.Set(edgeadmAnswer, "api-server")
			return edgeadmForNode(response, node)
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				klog.Errorf("[edgeadm] node %s: %s %s: %v", node, r.Method, r.URL.Path, err)
			}
			edgeadmRefuse(w, http.StatusBadGateway, "unreachable", err)
		},
	}
}

// edgeadmNode returns the name that the certificate of the connection proves. It is looked at anew with each request: a connection
// may outlive its certificate, and the node may have been removed since.
func edgeadmNode(r *http.Request) (string, error) {
	if r.TLS == nil {
		return "", errors.New("an edge node's certificate is needed here")
	}
	return node.Prove(r.Context(), r.TLS.PeerCertificates)
}

type edgeadmClaims struct {
	Kubernetes struct {
		Namespace string             `json:"namespace"`
		Pod       *edgeadmClaimedRef `json:"pod"`
		Node      *edgeadmClaimedRef `json:"node"`
	} `json:"kubernetes.io"`
}

type edgeadmClaimedRef struct {
	Name string `json:"name"`
	UID  string `json:"uid"`
}

// edgeadmTokenOf resolves if the token says that it belongs to a Pod on this node. That it speaks the truth, and that the
// Pod still exists, the API server checks when it gets the same token.
func edgeadmTokenOf(ctx context.Context, token, node string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("not a ServiceAccount's token")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return errors.New("not a ServiceAccount's token")
	}
	var claims edgeadmClaims
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Kubernetes.Pod == nil {
		return errors.New("the token is not bound to a Pod; an edge node may use those of its own Pods only")
	}
	holder := ""
	if claims.Kubernetes.Node != nil {
		holder = claims.Kubernetes.Node.Name
	} else {
		// Kubernetes before 1.30 does not name the node in the token.
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		pods := client.GetKubeClient().CoreV1().Pods(claims.Kubernetes.Namespace)
		pod, err := pods.Get(ctx, claims.Kubernetes.Pod.Name, metav1.GetOptions{})
		if err != nil || string(pod.UID) != claims.Kubernetes.Pod.UID {
			return errors.New("the Pod of the token does not exist")
		}
		holder = pod.Spec.NodeName
	}
	if holder != node {
		return fmt.Errorf("the token belongs to a Pod on another node than %s", node)
	}
	return nil
}

// edgeadmRefuse answers as an API server does.
func edgeadmRefuse(w http.ResponseWriter, code int, answer string, err error) {
	reason := metav1.StatusReasonUnauthorized
	if code != http.StatusUnauthorized {
		reason = metav1.StatusReasonServiceUnavailable
	}
	body, _ := json.Marshal(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure,
		Code:     int32(code),
		Reason:   reason,
		Message:  "CloudCore: " + err.Error(),
	})
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set(edgeadmAnswer, answer)
	w.WriteHeader(code)
	_, _ = w.Write(body)
}
