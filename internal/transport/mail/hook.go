package mail

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/convene-cal/convene/internal/problem"
)

// hookAge is how old a signed request may be: time enough for a retry, too
// little to keep one for later.
const hookAge = 5 * time.Minute

// Hook takes mail that a mail service posts: the mail as it stands is the body;
// the query names the envelope, from=ADDRESS and to=ADDRESS for each recipient.
// Two fields prove who posts:
//
//	Convene-Timestamp: seconds since 1970
//	Convene-Signature: hex of HMAC-SHA256(secret, timestamp + "\n" + query + "\n" + body)
//
// 200 is said when the mail is on disk, with a JSON list of what became of it.
func (m *Mail) Hook(secret string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse := func(status int, format string, args ...any) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(status)
			fmt.Fprintf(w, format+"\n", args...)
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", "POST")
			refuse(http.StatusMethodNotAllowed, "Mail is posted here.")
			return
		}
		raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(m.o.MaxMessageSize)))
		if err != nil {
			var tooLarge *http.MaxBytesError
			if errors.As(err, &tooLarge) {
				refuse(http.StatusRequestEntityTooLarge, "The mail is larger than the %d octets this server takes.", m.o.MaxMessageSize)
			} else {
				refuse(http.StatusBadRequest, "The mail did not arrive whole.")
			}
			return
		}
		if !signedHook(secret, r.Header.Get("Convene-Timestamp"), r.URL.RawQuery, raw, r.Header.Get("Convene-Signature"), m.now()) {
			refuse(http.StatusForbidden, "The signature of this request is wrong, missing or older than %d minutes (Convene-Timestamp, Convene-Signature).", int(hookAge.Minutes()))
			return
		}
		query := r.URL.Query()
		rows, err := m.Intake(r.Context(), raw, Envelope{From: query.Get("from"), To: query["to"], Remote: "hook"})
		switch {
		case problem.Has(err, problem.NotFound):
			refuse(http.StatusNotFound, "%s", problem.Of(err).Sentence)
			return
		case IsRefusal(err):
			refuse(http.StatusUnprocessableEntity, "%s", oneLine(err.Error()))
			return
		case err != nil:
			if !errors.Is(err, context.Canceled) {
				m.log.Error("a posted mail could not be stored", "error", err)
			}
			w.Header().Set("Retry-After", "60")
			refuse(http.StatusServiceUnavailable, "The mail could not be stored; post it again later.")
			return
		}
		type outcome struct {
			ID       string `json:"id"`
			State    string `json:"state"`
			Reason   string `json:"reason,omitempty"`
			Sentence string `json:"sentence"`
		}
		list := make([]outcome, len(rows))
		for i, e := range rows {
			list[i] = outcome{strconv.FormatInt(e.ID, 10), e.State, e.Reason, e.Sentence}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(list) // the client is gone, and the mail is on disk
	})
}

// signHook is what a mail service computes.
func signHook(secret, timestamp, query string, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(timestamp + "\n" + query + "\n"))
	h.Write(body)
	return h.Sum(nil)
}

func signedHook(secret, timestamp, query string, body []byte, signature string, now time.Time) bool {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || secret == "" {
		return false
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > hookAge || age < -hookAge {
		return false
	}
	given, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(signature), "sha256="))
	return err == nil && hmac.Equal(given, signHook(secret, timestamp, query, body))
}

// IsRefusal tells whether Intake's error is about the mail, and final: it is too
// large, loops, or is for nobody here.
func IsRefusal(err error) bool {
	var reply *smtp.SMTPError
	return errors.As(err, &reply) && !reply.Temporary()
}
