package certificate

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"time"

	"github.com/emicklei/go-restful"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/klog/v2"

	hubconfig "github.com/kubeedge/kubeedge/cloud/pkg/cloudhub/config"
	"github.com/kubeedge/kubeedge/cloud/pkg/cloudhub/servers/httpserver/resps"
	"github.com/kubeedge/kubeedge/cloud/pkg/common/client"
	"github.com/kubeedge/kubeedge/cloud/pkg/edgeadm/node"
	"github.com/kubeedge/kubeedge/common/types"
)

// edgeadmSign answers a request for a node's certificate. It always answers: what comes after it is not reached.
func edgeadmSign(request *restful.Request, response *restful.Response) bool {
	code, der, err := edgeadmCertificate(request.Request)
	if err != nil {
		klog.Errorf("[edgeadm] a certificate for %q, asked for by %s, is refused: %v",
			request.Request.Header.Get(types.HeaderNodeName), request.Request.RemoteAddr, err)
		resps.ErrorMessage(response, code, err.Error())
		return true
	}
	resps.OK(response, der)
	return true
}

func edgeadmCertificate(r *http.Request) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	name, notBefore, code, err := edgeadmName(ctx, r)
	if err != nil {
		return code, nil, err
	}
	key, err := edgeadmKey(r, name)
	if err != nil {
		return http.StatusForbidden, nil, err
	}
	der, err := edgeadmIssue(name, key, notBefore)
	if err != nil {
		return http.StatusInternalServerError, nil, err
	}
	return http.StatusOK, der, nil
}

// edgeadmName returns the name that a certificate is for: the one that the sender's certificate proves. A token proves none, so
// it gets a name that no node has.
func edgeadmName(ctx context.Context, r *http.Request) (string, time.Time, int, error) {
	now := time.Now().UTC()
	asked := r.Header.Get(types.HeaderNodeName)
	if len(r.TLS.PeerCertificates) > 0 {
		name, err := node.Prove(ctx, r.TLS.PeerCertificates)
		if err != nil {
			return "", now, http.StatusUnauthorized, err
		}
		if asked != name {
			return "", now, http.StatusForbidden, fmt.Errorf("the certificate is that of %s, and asks for %q", name, asked)
		}
		return name, now, 0, nil
	}
	if code, err := verifyAuthorization(r.Header.Get(types.HeaderAuthorization)); err != nil {
		return "", now, code, err
	}
	if problems := validation.IsDNS1123Subdomain(asked); len(problems) > 0 {
		return "", now, http.StatusBadRequest, fmt.Errorf("%q is no name for a node", asked)
	}
	_, err := client.GetKubeClient().CoreV1().Nodes().Get(ctx, asked, metav1.GetOptions{})
	if err == nil {
		return "", now, http.StatusForbidden, fmt.Errorf("the cluster has a node %s: a token gets no certificate for it until that node has been removed", asked)
	}
	if !apierrors.IsNotFound(err) {
		return "", now, http.StatusServiceUnavailable, fmt.Errorf("the node %s cannot be looked up: %v", asked, err)
	}
	// Issued after the removal of an earlier node of this name, whatever the clocks of the masters say.
	until, err := node.RemovedAt(ctx, asked)
	if err != nil {
		return "", now, http.StatusServiceUnavailable, err
	}
	if !now.Truncate(time.Second).After(until) {
		now = until.Add(time.Second)
	}
	return asked, now, 0, nil
}

// edgeadmIssue signs the one identity that a node has.
func edgeadmIssue(name string, key crypto.PublicKey, notBefore time.Time) ([]byte, error) {
	ca, err := x509.ParseCertificate(hubconfig.Config.Ca)
	if err != nil {
		return nil, err
	}
	caKey, err := edgeadmCaKey(hubconfig.Config.CaKey)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	notAfter := notBefore.Add(hubconfig.Config.CloudHub.EdgeCertSigningDuration * time.Hour * 24)
	if notAfter.After(ca.NotAfter) {
		notAfter = ca.NotAfter
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: node.UserPrefix + name, Organization: []string{node.Group}},
		SerialNumber:          serial,
		NotBefore:             notBefore,
		NotAfter:              notAfter,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	return x509.CreateCertificate(rand.Reader, template, ca, key, caKey)
}

func edgeadmCaKey(der []byte) (any, error) {
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	return nil, errors.New("the key of CloudCore's CA cannot be read")
}
