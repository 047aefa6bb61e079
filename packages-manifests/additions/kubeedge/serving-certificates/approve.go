package csrapprovercontroller

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/kubeedge/kubeedge/cloud/pkg/common/client"
)

// MetaServer's addresses, the same on each edge node.
var edgeadmServed = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(169, 254, 30, 10)}

// edgeadmMayApprove tells whether an edge node asks, for itself, for what MetaServer serves with.
func edgeadmMayApprove(csr *certificatesv1.CertificateSigningRequest, request *x509.CertificateRequest) bool {
	if csr.Spec.SignerName != certificatesv1.KubeletServingSignerName {
		return false
	}
	if err := edgeadmServing(csr.Spec.Username, request); err != nil {
		klog.Warningf("[edgeadm] the certificate request %s of %s is not approved: %v", csr.Name, csr.Spec.Username, err)
		return false
	}
	return true
}

func edgeadmServing(user string, request *x509.CertificateRequest) error {
	name, isNode := strings.CutPrefix(user, "system:node:")
	if !isNode || request.Subject.CommonName != user {
		return fmt.Errorf("it is for %q", request.Subject.CommonName)
	}
	if len(request.DNSNames)+len(request.EmailAddresses)+len(request.URIs) > 0 || len(request.IPAddresses) == 0 {
		return fmt.Errorf("it has other names than addresses")
	}
	for _, address := range request.IPAddresses {
		if !address.Equal(edgeadmServed[0]) && !address.Equal(edgeadmServed[1]) {
			return fmt.Errorf("%s is not an address of MetaServer", address)
		}
	}
	found, err := edgeadmNode(name)
	if err != nil {
		return err
	}
	// The label comes a moment after the Node; the version is there at once, and only the node itself writes it.
	_, labelled := found.Labels["node-role.kubernetes.io/edge"]
	if !labelled && !strings.Contains(found.Status.NodeInfo.KubeletVersion, "kubeedge") {
		return fmt.Errorf("%s is not an edge node", name)
	}
	return nil
}

// edgeadmNode asks some times: what is not approved now is not looked at again, and an API server may be away for a moment.
func edgeadmNode(name string) (*corev1.Node, error) {
	for attempt := 0; ; attempt++ {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		found, err := client.GetKubeClient().CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		cancel()
		if err == nil || apierrors.IsNotFound(err) || attempt == 5 {
			return found, err
		}
		time.Sleep(time.Second)
	}
}
