package cip

import (
	"encoding/json"

	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
)

// record is the Evidence of an incoming row: who sent it, and CIP's numbers.
type record struct {
	trust.Evidence
	EventID  string   `json:"event-id,omitempty"`
	Version  int64    `json:"version,omitempty"`
	Trace    []string `json:"trace,omitempty"` // servers that it came through
	Response int64    `json:"response-sequence,omitempty"`
	Acting   string   `json:"acting,omitempty"` // the address that the message speaks for
	Verdict  string   `json:"verdict,omitempty"`
}

func recordOf(e *store.Entry) record {
	var r record
	if len(e.Evidence) > 0 {
		_ = json.Unmarshal(e.Evidence, &r) // what we wrote; an unreadable one is no evidence
	}
	return r
}

func (r record) json() []byte {
	b, err := json.Marshal(r)
	if err != nil { // strings and numbers only: it cannot fail
		return nil
	}
	return b
}
