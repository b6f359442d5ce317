package davserver

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
)

// feedPath begins the addresses of published calendars: /feeds/{token}.ics.
const feedPath = "/feeds/"

// feedURL is the address that is given out; without a public address of this
// service it is a path.
func (q *request) feedURL(f calendar.FeedView) string {
	path := feedPath + f.Token + ".ics"
	return q.base() + path
}

// feed is GET of a published calendar, for anyone who has its address.
func (q *request) feed(segment string) error {
	if done, err := q.onlyRead(); done || err != nil {
		return err
	}
	token, err := url.PathUnescape(strings.TrimSuffix(segment, ".ics"))
	if err != nil || token == "" || len(token) > 100 {
		return problem.New(problem.NotFound, "There is nothing at this address.")
	}
	f, version, err := q.s.calendar.Feed(q.ctx, token)
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", calendarType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("Content-Disposition", `inline; filename="calendar.ics"`)
	h.Set("X-Robots-Tag", "noindex") // who finds it by chance should not spread it
	etag := `"` + version + `"`
	h.Set("ETag", etag)
	if done, err := q.conditional(etag, time.Time{}); done || err != nil {
		return err
	}
	if q.r.Method == http.MethodHead {
		q.w.WriteHeader(http.StatusOK)
		return nil
	}
	out := &spooled{q: q, status: http.StatusOK}
	return out.finish(q.s.calendar.WriteFeed(q.ctx, f, out))
}
