package cloudstream

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/emicklei/go-restful"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/kubeedge/kubeedge/cloud/pkg/common/client"
)

// edgeadmGuarded lets those through who may use the API of a kubelet. It asks as a kubelet does: for a client certificate of the
// cluster's CA, which the API server has, or a token, as metrics-server has; and the API server whether that user has the right.
func edgeadmGuarded(container *restful.Container) *restful.Container {
	container.Filter(func(request *restful.Request, response *restful.Response, chain *restful.FilterChain) {
		ctx, cancel := context.WithTimeout(request.Request.Context(), 10*time.Second)
		code, err := edgeadmAllowed(ctx, request.Request)
		cancel()
		if err != nil {
			klog.Warningf("[edgeadm] %s %s from %s is refused: %v", request.Request.Method, request.Request.URL.Path, request.Request.RemoteAddr, err)
			_ = response.WriteErrorString(code, http.StatusText(code))
			return
		}
		chain.ProcessFilter(request, response)
	})
	return container
}

func edgeadmAllowed(ctx context.Context, r *http.Request) (int, error) {
	user, err := edgeadmUser(ctx, r)
	if err != nil {
		return http.StatusUnauthorized, err
	}
	user.ResourceAttributes = edgeadmAttributes(r)
	review := &authorizationv1.SubjectAccessReview{Spec: *user}
	answer, err := client.GetKubeClient().AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return http.StatusServiceUnavailable, err
	}
	if !answer.Status.Allowed {
		return http.StatusForbidden, fmt.Errorf("%s may not %s nodes/%s", user.User, user.ResourceAttributes.Verb, user.ResourceAttributes.Subresource)
	}
	return 0, nil
}

// edgeadmUser returns who asks: the subject of the certificate, else the one of the token.
func edgeadmUser(ctx context.Context, r *http.Request) (*authorizationv1.SubjectAccessReviewSpec, error) {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		return edgeadmCertified(r.TLS.PeerCertificates)
	}
	token, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !isBearer {
		return nil, errors.New("neither a client certificate nor a token")
	}
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	answer, err := client.GetKubeClient().AuthenticationV1().TokenReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	if !answer.Status.Authenticated {
		return nil, errors.New("the token is not valid")
	}
	user := answer.Status.User
	extra := map[string]authorizationv1.ExtraValue{}
	for name, values := range user.Extra {
		extra[name] = authorizationv1.ExtraValue(values)
	}
	return &authorizationv1.SubjectAccessReviewSpec{User: user.Username, UID: user.UID, Groups: user.Groups, Extra: extra}, nil
}

// edgeadmCertified verifies the certificate whose key TLS has proven. The cluster's CA is the one that CloudCore trusts the API
// server by. KubeEdge's own, which signs for edge nodes, counts for nothing here.
func edgeadmCertified(certificates []*x509.Certificate) (*authorizationv1.SubjectAccessReviewSpec, error) {
	config := rest.CopyConfig(client.KubeConfig)
	if err := rest.LoadTLSFiles(config); err != nil {
		return nil, err
	}
	options := x509.VerifyOptions{
		Roots:         x509.NewCertPool(),
		Intermediates: x509.NewCertPool(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if !options.Roots.AppendCertsFromPEM(config.CAData) {
		return nil, errors.New("the cluster's CA cannot be read")
	}
	for _, other := range certificates[1:] {
		options.Intermediates.AddCert(other)
	}
	if _, err := certificates[0].Verify(options); err != nil {
		return nil, err
	}
	subject := certificates[0].Subject
	if subject.CommonName == "" {
		return nil, errors.New("the certificate names nobody")
	}
	groups := append([]string{"system:authenticated"}, subject.Organization...)
	return &authorizationv1.SubjectAccessReviewSpec{User: subject.CommonName, Groups: groups}, nil
}

// edgeadmAttributes: a kubelet's own rule (Kubernetes documentation, "Kubelet authorization").
func edgeadmAttributes(r *http.Request) *authorizationv1.ResourceAttributes {
	verb := map[string]string{http.MethodGet: "get", http.MethodHead: "get", http.MethodPost: "create"}[r.Method]
	if verb == "" {
		verb = "update"
	}
	subresource := "proxy"
	for _, name := range []string{"stats", "metrics"} {
		if r.URL.Path == "/"+name || strings.HasPrefix(r.URL.Path, "/"+name+"/") {
			subresource = name
		}
	}
	node := r.Host
	if host, _, err := net.SplitHostPort(node); err == nil {
		node = host
	}
	return &authorizationv1.ResourceAttributes{Verb: verb, Version: "v1", Resource: "nodes", Subresource: subresource, Name: node}
}
