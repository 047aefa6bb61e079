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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/kubeedge/kubeedge/cloud/pkg/common/client"
)

// MetaServer's addresses, the same on each edge node.
var edgeadmServed = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(169, 254, 30, 10)}

// Afterwards a request of a node that never registered is left alone.
const edgeadmRegisters = 10 * time.Minute

// edgeadmNotYet tells why a request cannot be judged now. MetaServer asks for its certificate while its node registers, and either may
// come first; the API server may be away for a moment.
func edgeadmNotYet(csr *certificatesv1.CertificateSigningRequest) error {
	name, isNode := strings.CutPrefix(csr.Spec.Username, "system:node:")
	if !isNode || csr.Spec.SignerName != certificatesv1.KubeletServingSignerName || time.Since(csr.CreationTimestamp.Time) > edgeadmRegisters {
		return nil
	}
	if _, err := edgeadmNode(name); err != nil {
		return fmt.Errorf("[edgeadm] the certificate request %s waits for its node: %v", csr.Name, err)
	}
	return nil
}

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

func edgeadmNode(name string) (*corev1.Node, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return client.GetKubeClient().CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
}
