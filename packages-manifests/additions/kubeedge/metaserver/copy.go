package metaserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/klog/v2"

	"github.com/kubeedge/kubeedge/edge/pkg/metamanager/dao"
	"github.com/kubeedge/kubeedge/edge/pkg/metamanager/dao/dbclient"
	"github.com/kubeedge/kubeedge/edge/pkg/metamanager/dao/models"
	"github.com/kubeedge/kubeedge/edge/pkg/metamanager/metaserver/kubernetes/storage/sqlite/imitator"
)

// The copy of what passed through, in upstream's table meta_v2. The resource in a key is the request's own: upstream guesses it
// from the kind, and gets irregular plurals wrong (util.UnsafeKindToResource: Gateway becomes gatewaies).

// edgeadmListed is what is kept of a list beside its items: that it was seen at all, also if it was empty.
type edgeadmListed struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

// edgeadmDiscovered is a document of discovery as it was sent.
type edgeadmDiscovered struct {
	ContentType string `json:"contentType"`
	Body        []byte `json:"body"`
}

// edgeadmWrites are done one after the other, in the order in which answers came, and keep no client waiting.
var edgeadmWrites = func() chan<- func() error {
	writes := make(chan func() error, 1000)
	go func() {
		for write := range writes {
			if err := write(); err != nil {
				klog.Errorf("[edgeadm] an answer of the cloud could not be kept: %v", err)
			}
		}
	}()
	return writes
}()

func edgeadmGVR(info *apirequest.RequestInfo) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: info.APIGroup, Version: info.APIVersion, Resource: info.Resource}
}

func edgeadmKey(gvr schema.GroupVersionResource, namespace, name string) string {
	group := gvr.Group
	if group == "" {
		group = models.GroupCore
	}
	if namespace == "" {
		namespace = models.NullNamespace
	}
	return fmt.Sprintf("/%s/%s/%s/%s/%s", group, gvr.Version, gvr.Resource, namespace, name)
}

func edgeadmListKey(gvr schema.GroupVersionResource, namespace string) string {
	return "edgeadm-list:" + edgeadmKey(gvr, namespace, "")
}

// edgeadmPathKey tells the forms of discovery apart: the same path is sent whole or in parts, by what the client takes.
func edgeadmPathKey(r *http.Request) string {
	form := "parts"
	if strings.Contains(r.Header.Get("Accept"), "as=APIGroupDiscoveryList") {
		form = "whole"
	}
	return "edgeadm-path:" + form + ":" + strings.TrimSuffix(r.URL.Path, "/")
}

// edgeadmKeeps says whether the answer is worth keeping, and can be read.
func edgeadmKeeps(info *apirequest.RequestInfo, r *http.Request) bool {
	if r.Method != http.MethodGet {
		return false
	}
	if !info.IsResourceRequest {
		return edgeadmIsDiscovery(r.URL.Path)
	}
	accept := r.Header.Get("Accept")
	readable := accept == "" || strings.Contains(accept, "*/*") || strings.Contains(accept, "application/json")
	return readable && !strings.Contains(accept, "as=") && info.Subresource == "" && info.Resource != "events"
}

func edgeadmIsDiscovery(path string) bool {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	return parts[0] == "version" || parts[0] == "api" && len(parts) <= 2 || parts[0] == "apis" && len(parts) <= 3
}

// edgeadmKeep reads the answer on its way.
func edgeadmKeep(info *apirequest.RequestInfo, r *http.Request, response *http.Response) error {
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind != "application/json" {
		return nil
	}
	gvr := edgeadmGVR(info)
	if info.Verb == "watch" {
		response.Body = &edgeadmLines{source: response.Body, each: func(line []byte) {
			edgeadmWrites <- func() error { return edgeadmKeepEvent(gvr, line) }
		}}
		return nil
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	response.ContentLength = int64(len(body))
	response.Header.Set("Content-Length", strconv.Itoa(len(body)))
	switch {
	case !info.IsResourceRequest:
		document := edgeadmDiscovered{response.Header.Get("Content-Type"), body}
		key := edgeadmPathKey(r)
		edgeadmWrites <- func() error { return edgeadmPutValue(key, document) }
	case info.Verb == "get":
		edgeadmWrites <- func() error { return edgeadmKeepObject(gvr, body) }
	case info.Verb == "list":
		query := r.URL.Query()
		whole := query.Get("labelSelector") == "" && query.Get("fieldSelector") == "" && query.Get("continue") == ""
		edgeadmWrites <- func() error { return edgeadmKeepList(gvr, info.Namespace, body, whole) }
	}
	return nil
}

func edgeadmKeepObject(gvr schema.GroupVersionResource, body []byte) error {
	object := &unstructured.Unstructured{}
	if err := runtime.DecodeInto(unstructured.UnstructuredJSONScheme, body, object); err != nil {
		return err
	}
	return edgeadmPut(gvr, object, 0)
}

func edgeadmKeepEvent(gvr schema.GroupVersionResource, line []byte) error {
	var event struct {
		Type   string          `json:"type"`
		Object json.RawMessage `json:"object"`
	}
	if err := json.Unmarshal(line, &event); err != nil {
		return err
	}
	switch event.Type {
	case "ADDED", "MODIFIED":
		return edgeadmKeepObject(gvr, event.Object)
	case "DELETED":
		object := &unstructured.Unstructured{}
		if err := runtime.DecodeInto(unstructured.UnstructuredJSONScheme, event.Object, object); err != nil {
			return err
		}
		return dbclient.NewMetaV2Service().DeleteByKey(edgeadmKey(gvr, object.GetNamespace(), object.GetName()))
	}
	return nil
}

// edgeadmKeepList keeps the items; a whole list also says that what it does not name is no more.
func edgeadmKeepList(gvr schema.GroupVersionResource, namespace string, body []byte, whole bool) error {
	decoded, err := runtime.Decode(unstructured.UnstructuredJSONScheme, body)
	if err != nil {
		return err
	}
	list, isList := decoded.(*unstructured.UnstructuredList)
	if !isList {
		return fmt.Errorf("%s: the answer to a list is a %s", gvr.String(), decoded.GetObjectKind().GroupVersionKind().Kind)
	}
	stored, err := dbclient.NewMetaV2Service().RawMetaByGVRNN(gvr, namespace, "")
	if err != nil {
		return err
	}
	versions := map[string]uint64{}
	for _, row := range *stored {
		versions[row.Key] = row.ResourceVersion
	}
	for i := range list.Items {
		item := &list.Items[i]
		key := edgeadmKey(gvr, item.GetNamespace(), item.GetName())
		if err := edgeadmPut(gvr, item, versions[key]); err != nil {
			return err
		}
		delete(versions, key)
	}
	if !whole || list.GetContinue() != "" {
		return nil
	}
	at, err := strconv.ParseUint(list.GetResourceVersion(), 10, 64)
	if err != nil {
		return nil
	}
	for key, version := range versions {
		if version <= at {
			if err := dbclient.NewMetaV2Service().DeleteByKey(key); err != nil {
				return err
			}
		}
	}
	return edgeadmPutValue(edgeadmListKey(gvr, namespace), edgeadmListed{list.GetAPIVersion(), list.GetKind()})
}

// edgeadmPut writes an object unless what is there is as new. A known version spares the look.
func edgeadmPut(gvr schema.GroupVersionResource, object *unstructured.Unstructured, known uint64) error {
	version, err := strconv.ParseUint(object.GetResourceVersion(), 10, 64)
	if err != nil {
		return nil
	}
	key := edgeadmKey(gvr, object.GetNamespace(), object.GetName())
	if known == 0 {
		if row, found := edgeadmRow(key); found {
			known = row.ResourceVersion
		}
	}
	if known >= version {
		return nil
	}
	value, err := object.MarshalJSON()
	if err != nil {
		return err
	}
	row := &models.MetaV2{
		Key: key, GroupVersionResource: gvr.String(), Namespace: object.GetNamespace(), Name: object.GetName(),
		ResourceVersion: version, Value: string(value),
	}
	if err := dbclient.NewMetaV2Service().RetryInsertOrReplaceMetaV2(row, 3); err != nil {
		return err
	}
	if version > imitator.DefaultV2Client.GetRevision() {
		imitator.DefaultV2Client.SetRevision(version)
	}
	return nil
}

// edgeadmPutValue spares the disk a value that is there already.
func edgeadmPutValue(key string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if row, found := edgeadmRow(key); found && row.Value == string(text) {
		return nil
	}
	return dbclient.NewMetaV2Service().InsertOrReplaceMetaV2(&models.MetaV2{Key: key, Value: string(text)})
}

// edgeadmRow looks a row up. (Upstream's GetByKey logs an error for each that is not there.)
func edgeadmRow(key string) (models.MetaV2, bool) {
	var rows []models.MetaV2
	err := dao.GetDB().Where(models.KEY+" = ?", key).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return models.MetaV2{}, false
	}
	return rows[0], true
}

// edgeadmLines hands each whole line on while the stream is read.
type edgeadmLines struct {
	source io.ReadCloser
	begun  []byte
	each   func(line []byte)
}

func (l *edgeadmLines) Read(to []byte) (int, error) {
	count, err := l.source.Read(to)
	l.begun = append(l.begun, to[:count]...)
	for {
		end := bytes.IndexByte(l.begun, '\n')
		if end < 0 {
			return count, err
		}
		if end > 0 {
			l.each(bytes.Clone(l.begun[:end]))
		}
		l.begun = l.begun[end+1:]
	}
}

func (l *edgeadmLines) Close() error { return l.source.Close() }
