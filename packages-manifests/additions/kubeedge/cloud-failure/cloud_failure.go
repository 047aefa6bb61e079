package client

import (
	"encoding/json"
	"fmt"
)

// edgeadmCloudFailure tells an answer without an object from one with it. What the API server itself refused has an ErrStatus,
// and upstream's own code reads it; any other error of CloudCore arrives as an object that has none.
func edgeadmCloudFailure(content []byte) error {
	var answer struct {
		Object *struct {
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
		}
		Err json.RawMessage
	}
	if err := json.Unmarshal(content, &answer); err != nil {
		// Upstream's code says why.
		return nil
	}
	var refusal struct{ ErrStatus *struct{} }
	if json.Unmarshal(answer.Err, &refusal) == nil && refusal.ErrStatus != nil {
		return nil
	}
	if answer.Object != nil && answer.Object.Metadata.Name != "" {
		return nil
	}
	return fmt.Errorf("[edgeadm] the cloud did not answer with an object: %s", answer.Err)
}
