package v1

import (
	v1 "k8s.io/api/certificates/v1"
	"k8s.io/apimachinery/pkg/util/rand"
)

// edgeadmRenamed is the request under a name that no earlier one has. Who asks reads the name from the answer.
func edgeadmRenamed(request *v1.CertificateSigningRequest) *v1.CertificateSigningRequest {
	renamed := request.DeepCopy()
	renamed.Name += "-" + rand.String(8)
	return renamed
}
