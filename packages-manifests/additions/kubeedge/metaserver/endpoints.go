package httpserver

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubeedge/kubeedge/cloud/pkg/dynamiccontroller/filter"
)

// edgeadmForNode changes Endpoints and EndpointSlices as the dynamic controller does for this node: Service kubernetes leads to
// MetaServer, and a Service with a topology of node groups to its own group's Pods. All else stays as it is.
func edgeadmForNode(response *http.Response, node string) error {
	request := response.Request
	if response.StatusCode != http.StatusOK || request.Method != http.MethodGet || !edgeadmHasEndpoints(request.URL.Path) {
		return nil
	}
	if response.Header.Get("Content-Type") != "application/json" || response.Header.Get("Content-Encoding") != "" {
		return nil
	}
	if watch, _ := strconv.ParseBool(request.URL.Query().Get("watch")); watch {
		response.Body = edgeadmEvents(response.Body, node)
		return nil
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	body, err = edgeadmFiltered(body, node)
	if err != nil {
		return err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	response.ContentLength = int64(len(body))
	response.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

func edgeadmHasEndpoints(path string) bool {
	for _, part := range strings.Split(path, "/") {
		if part == "endpoints" || part == "endpointslices" {
			return true
		}
	}
	return false
}

// edgeadmFiltered changes an object, or each item of a list by itself: as a list the filters would take every EndpointSlice for
// that of Service kubernetes (KubeEdge 1.23, filter/defaultmaster: NeedFilter looks at the name of a single object only).
func edgeadmFiltered(body []byte, node string) ([]byte, error) {
	decoded, err := runtime.Decode(unstructured.UnstructuredJSONScheme, body)
	if err != nil {
		return nil, err
	}
	list, isList := decoded.(*unstructured.UnstructuredList)
	if !isList {
		filter.MessageFilter(decoded, node)
		return json.Marshal(decoded)
	}
	for i := range list.Items {
		filter.MessageFilter(&list.Items[i], node)
	}
	return json.Marshal(list)
}

type edgeadmEvent struct {
	Type   string          `json:"type"`
	Object json.RawMessage `json:"object"`
}

// edgeadmEvents changes the events of a watch one by one.
func edgeadmEvents(events io.ReadCloser, node string) io.ReadCloser {
	reader, writer := io.Pipe()
	go func() {
		decoder, encoder := json.NewDecoder(events), json.NewEncoder(writer)
		for {
			var event edgeadmEvent
			err := decoder.Decode(&event)
			if err == nil && event.Type != "BOOKMARK" && event.Type != "ERROR" {
				event.Object, err = edgeadmFiltered(event.Object, node)
			}
			if err == nil {
				err = encoder.Encode(event)
			}
			if err != nil {
				_ = writer.CloseWithError(err)
				return
			}
		}
	}()
	return edgeadmPipe{reader, events}
}

// edgeadmPipe closes what feeds it, too.
type edgeadmPipe struct {
	*io.PipeReader
	source io.Closer
}

func (p edgeadmPipe) Close() error {
	_ = p.PipeReader.Close()
	return p.source.Close()
}
