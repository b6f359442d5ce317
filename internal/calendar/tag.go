package calendar

import (
	"crypto/sha256"
	"encoding/base64"
	"mime"
	"strings"

	"github.com/convene-cal/convene/internal/problem"
)

// tagOf is an opaque tag with its quotes, made of what it depends on.
func tagOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return `"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12]) + `"`
}

// checkMediaType refuses what is not iCalendar. Conversion from other
// character sets and syntaxes is the front end's.
func checkMediaType(contentType string) error {
	if contentType == "" {
		return nil
	}
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		t = strings.TrimSpace(strings.ToLower(contentType))
		if i := strings.IndexByte(t, ';'); i >= 0 {
			t = strings.TrimSpace(t[:i])
		}
	}
	switch t {
	case "text/calendar", "application/ics", "text/x-vcalendar", "application/octet-stream":
		// The latter ones are what careless clients say of iCalendar; the
		// parser decides.
		return nil
	}
	return problem.New(problem.UnsupportedCalendarData, "A calendar holds text/calendar, not %s.", clip(t))
}
