package certificate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeedge/kubeedge/cloud/pkg/common/client"
)

// The form of a bootstrap token: k8s.io/cluster-bootstrap/token/api, BootstrapTokenPattern.
var edgeadmBootstrapToken = regexp.MustCompile(`^Bearer [a-z0-9]{6}\.[a-z0-9]{16}$`)

func edgeadmIsBootstrapToken(authorization string) bool {
	return edgeadmBootstrapToken.MatchString(authorization)
}

// edgeadmVerifyBootstrapToken asks the API server whose token it is, and whether that user may join edge nodes: verb create of
// the resource edgenodes in the group edgeadm.io, which the Role kubeedge/edgeadm-edge-join gives.
func edgeadmVerifyBootstrapToken(authorization string) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	review := &authenticationv1.TokenReview{}
	review.Spec.Token = strings.TrimPrefix(authorization, "Bearer ")
	reviewed, err := client.GetKubeClient().AuthenticationV1().TokenReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return http.StatusServiceUnavailable, fmt.Errorf("the bootstrap token cannot be looked up: %v", err)
	}
	user := reviewed.Status.User
	if !reviewed.Status.Authenticated || !strings.HasPrefix(user.Username, "system:bootstrap:") {
		return http.StatusUnauthorized, errors.New("the bootstrap token is unknown or has expired")
	}
	access := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:   user.Username,
		Groups: user.Groups,
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: "kubeedge", Verb: "create", Group: "edgeadm.io", Resource: "edgenodes",
		},
	}}
	allowed, err := client.GetKubeClient().AuthorizationV1().SubjectAccessReviews().Create(ctx, access, metav1.CreateOptions{})
	if err != nil {
		return http.StatusServiceUnavailable, fmt.Errorf("the rights of %s cannot be looked up: %v", user.Username, err)
	}
	if !allowed.Status.Allowed {
		return http.StatusForbidden, fmt.Errorf("%s may not join edge nodes", user.Username)
	}
	return http.StatusOK, nil
}
