package metaserver

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apirequest "k8s.io/apiserver/pkg/endpoints/request"

	"github.com/kubeedge/kubeedge/edge/pkg/common/cloudconnection"
	"github.com/kubeedge/kubeedge/edge/pkg/metamanager/dao/dbclient"
)

// edgeadmOffline answers while the cloud cannot be reached: from the copy what the copy has, and with 503 what it cannot know.
// Only a watch, which shows the copy and then waits, is left to upstream.
func edgeadmOffline(upstream http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, ok := apirequest.RequestInfoFrom(r.Context())
		if why := r.Context().Value(edgeadmAsked{}); !ok || why == nil || why == errEdgeadmUpstream {
			upstream.ServeHTTP(w, r)
			return
		}
		switch {
		case !info.IsResourceRequest && r.Method == http.MethodGet:
			edgeadmStoredPath(w, r)
		case info.Verb == "get" && info.Subresource == "":
			edgeadmStoredObject(w, info)
		case info.Verb == "list":
			edgeadmStoredList(w, r, info)
		case info.Verb == "watch" && !cloudconnection.IsConnected():
			edgeadmWatchCopy(w, r, upstream)
		case info.Verb == "get" && info.Subresource == "log":
			upstream.ServeHTTP(w, r)
		default:
			edgeadmNotKnown(w)
		}
	})
}

// edgeadmWatchCopy ends when the cloud is back. Its last event makes the client list again, and so learn what this node missed.
func edgeadmWatchCopy(w http.ResponseWriter, r *http.Request, upstream http.Handler) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go edgeadmWhile(ctx, cancel, func() bool { return !cloudconnection.IsConnected() })
	upstream.ServeHTTP(w, r.WithContext(ctx))
	if r.Context().Err() != nil {
		return
	}
	status := apierrors.NewResourceExpired("the cloud can be reached again").Status()
	status.Kind, status.APIVersion = "Status", "v1"
	if event, err := json.Marshal(map[string]any{"type": "ERROR", "object": status}); err == nil {
		_, _ = w.Write(append(event, '\n'))
	}
}

func edgeadmNotKnown(w http.ResponseWriter) {
	edgeadmStatus(w, apierrors.NewServiceUnavailable("the cloud cannot be reached, and this node has no copy of what was asked for"))
}

func edgeadmStatus(w http.ResponseWriter, failure *apierrors.StatusError) {
	status := failure.Status()
	status.Kind, status.APIVersion = "Status", "v1"
	edgeadmJSON(w, int(status.Code), status)
}

func edgeadmJSON(w http.ResponseWriter, code int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(body)
}

func edgeadmStoredPath(w http.ResponseWriter, r *http.Request) {
	var document edgeadmDiscovered
	if !edgeadmGetValue(edgeadmPathKey(r), &document) {
		edgeadmNotKnown(w)
		return
	}
	w.Header().Set("Content-Type", document.ContentType)
	_, _ = w.Write(document.Body)
}

func edgeadmStoredObject(w http.ResponseWriter, info *apirequest.RequestInfo) {
	gvr := edgeadmGVR(info)
	namespace := info.Namespace
	if info.Resource == "namespaces" {
		namespace = ""
	}
	if row, found := edgeadmRow(edgeadmKey(gvr, namespace, info.Name)); found {
		edgeadmJSON(w, http.StatusOK, json.RawMessage(row.Value))
		return
	}
	if _, known := edgeadmListOf(gvr, namespace); known {
		edgeadmStatus(w, apierrors.NewNotFound(gvr.GroupResource(), info.Name))
		return
	}
	edgeadmNotKnown(w)
}

func edgeadmStoredList(w http.ResponseWriter, r *http.Request, info *apirequest.RequestInfo) {
	gvr := edgeadmGVR(info)
	listed, known := edgeadmListOf(gvr, info.Namespace)
	rows, err := dbclient.NewMetaV2Service().RawMetaByGVRNN(gvr, info.Namespace, info.Name)
	if err != nil || !known && len(*rows) == 0 {
		edgeadmNotKnown(w)
		return
	}
	matches, err := edgeadmSelector(r)
	if err != nil {
		edgeadmStatus(w, apierrors.NewBadRequest(err.Error()))
		return
	}
	list := &unstructured.UnstructuredList{Object: map[string]any{}}
	var highest uint64
	for _, row := range *rows {
		object := &unstructured.Unstructured{}
		if err := runtime.DecodeInto(unstructured.UnstructuredJSONScheme, []byte(row.Value), object); err != nil {
			continue
		}
		highest = max(highest, row.ResourceVersion)
		if !known {
			listed = edgeadmListed{APIVersion: object.GetAPIVersion(), Kind: object.GetKind() + "List"}
		}
		if matches(object) {
			list.Items = append(list.Items, *object)
		}
	}
	list.SetAPIVersion(listed.APIVersion)
	list.SetKind(listed.Kind)
	list.SetResourceVersion(strconv.FormatUint(highest, 10))
	edgeadmJSON(w, http.StatusOK, list)
}

func edgeadmListOf(gvr schema.GroupVersionResource, namespace string) (edgeadmListed, bool) {
	var listed edgeadmListed
	known := edgeadmGetValue(edgeadmListKey(gvr, namespace), &listed) || edgeadmGetValue(edgeadmListKey(gvr, ""), &listed)
	return listed, known
}

func edgeadmGetValue(key string, into any) bool {
	row, found := edgeadmRow(key)
	return found && json.Unmarshal([]byte(row.Value), into) == nil
}

// edgeadmSelector takes labels, names, namespaces, and whatever field the object itself has at the path that is named.
func edgeadmSelector(r *http.Request) (func(*unstructured.Unstructured) bool, error) {
	label, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	if err != nil {
		return nil, err
	}
	field, err := fields.ParseSelector(r.URL.Query().Get("fieldSelector"))
	if err != nil {
		return nil, err
	}
	return func(object *unstructured.Unstructured) bool {
		set := fields.Set{}
		for _, wanted := range field.Requirements() {
			value, _, _ := unstructured.NestedString(object.Object, strings.Split(wanted.Field, ".")...)
			set[wanted.Field] = value
		}
		return label.Matches(labels.Set(object.GetLabels())) && field.Matches(set)
	}, nil
}
