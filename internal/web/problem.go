package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/convene-cal/convene/internal/problem"
)

// statuses of conditions; one that is not here is 403, the status of a rule
// that stands in the way (RFC 4791 1.3).
var statuses = map[problem.Condition]int{
	problem.Internal:            http.StatusInternalServerError,
	problem.BadInput:            http.StatusBadRequest,
	problem.Unauthenticated:     http.StatusUnauthorized,
	problem.RateLimited:         http.StatusTooManyRequests,
	problem.NotFound:            http.StatusNotFound,
	problem.Exists:              http.StatusConflict,
	problem.ParentMissing:       http.StatusConflict,
	problem.UIDConflict:         http.StatusConflict,
	problem.PreconditionFailed:  http.StatusPreconditionFailed,
	problem.Unavailable:         http.StatusServiceUnavailable,
	problem.InsufficientStorage: http.StatusInsufficientStorage,
	problem.MethodNotAllowed:    http.StatusMethodNotAllowed,
	problem.UnsupportedMedia:    http.StatusUnsupportedMediaType,
	problem.TooLarge:            http.StatusRequestEntityTooLarge,
}

// refusal is what the browser gets to read.
type refusal struct {
	Condition problem.Condition `json:"condition"`
	Sentence  string            `json:"sentence"`
	Where     string            `json:"where,omitempty"`
}

// refuse answers with a refusal. What is our own fault is logged with its cause.
func (a *app) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody is listening
	}
	p := problem.Of(err)
	status, ok := statuses[p.Condition]
	if !ok {
		status = http.StatusForbidden
	}
	if status >= 500 {
		a.log.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err, "cause", p.Cause)
	}
	writeJSON(w, status, refusal{Condition: p.Condition, Sentence: p.Sentence, Where: p.Where})
}

// writeJSON answers with a value; nil is 204. Answers hold a person's own
// data, so no cache keeps them.
func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Cache-Control", "no-store")
	if value == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // fails only when the browser has gone
}

// maxBody of a request to the JSON interface, in octets: an event with some
// thousand attendees and a long description.
const maxBody = 2 << 20

// readJSON reads a request's body. Unknown members are refused, so that a
// mistyped one is noticed and not silently without effect.
func readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return problem.New(problem.UnsupportedMedia, "The request must be application/json.")
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("more than one value")
		}
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return problem.New(problem.TooLarge, "The request is larger than %d octets.", tooLarge.Limit)
	case err != nil:
		return problem.New(problem.BadInput, "The request is not the JSON it should be: %v.", err)
	}
	return nil
}
