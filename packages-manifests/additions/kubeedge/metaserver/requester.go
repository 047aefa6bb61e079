package httpserver

import (
	"context"
	"errors"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeedge/kubeedge/cloud/pkg/common/client"
)

// edgeadmModeLabel says on a Node whether its MetaServer asks for tokens. The node gives it when it registers, and cannot change
// it afterwards: ValidatingAdmissionPolicy edgeadm-metaserver-mode.
const edgeadmModeLabel = "edgeadm.io/metaserver"

// edgeadmWithoutToken returns whom a request without a token acts as: the group edgeadm:metaserver from a node whose MetaServer is
// plain, where Pods have no tokens. From any other node it is somebody without rights of his own, who may read discovery.
func edgeadmWithoutToken(ctx context.Context, node string) (authenticationv1.UserInfo, error) {
	user := authenticationv1.UserInfo{Username: edgeadmGroup + ":" + node, Groups: []string{"system:authenticated"}}
	found, err := client.GetKubeClient().CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return user, fmt.Errorf("the node %s cannot be looked up: %v", node, err)
	}
	if err == nil && found.Labels[edgeadmModeLabel] == "plain" {
		user.Groups = append(user.Groups, edgeadmGroup)
	}
	return user, nil
}

// edgeadmOfToken asks the API server whose token it is.
func edgeadmOfToken(ctx context.Context, token string) (authenticationv1.UserInfo, error) {
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	reviewed, err := client.GetKubeClient().AuthenticationV1().TokenReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return authenticationv1.UserInfo{}, err
	}
	if !reviewed.Status.Authenticated {
		return authenticationv1.UserInfo{}, errors.New("the API server does not know the token")
	}
	return reviewed.Status.User, nil
}

// edgeadmMay asks the API server for a right in the whole cluster, of the group edgeadm.io.
func edgeadmMay(ctx context.Context, user authenticationv1.UserInfo, verb, resource string) bool {
	extra := map[string]authorizationv1.ExtraValue{}
	for key, values := range user.Extra {
		extra[key] = authorizationv1.ExtraValue(values)
	}
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user.Username, UID: user.UID, Groups: user.Groups, Extra: extra,
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: verb, Group: "edgeadm.io", Resource: resource},
	}}
	answer, err := client.GetKubeClient().AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	return err == nil && answer.Status.Allowed
}
