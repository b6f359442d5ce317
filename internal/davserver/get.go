package davserver

import (
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/internal/problem"
)

// get is GET and HEAD: an object as it is stored, a calendar as one file, and
// a sentence elsewhere for a person with a browser.
func (q *request) get() error {
	r, err := q.findPlain(q.at)
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'") // what users store is never a page of ours
	switch r.kind {
	case object, message:
		return q.getObject(r)
	case calendarColl:
		return q.export(r)
	case notice:
		return q.getNotice(r)
	}
	const sentence = "This is the address of calendars, for calendar programs: give it to one as the server's address (CalDAV).\n"
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(sentence)))
	_, err = io.WriteString(q.w, sentence)
	return ignoreGone(err)
}

// ignoreGone: a client that has left needs no answer.
func ignoreGone(error) error { return nil }

func (q *request) getObject(r *resource) error {
	q.objectHeaders(r)
	if as := q.accepted(); as != nil {
		return q.getAs(r, as)
	}
	if done, err := q.conditional(r.obj.ETag, r.obj.Modified); done || err != nil {
		return err
	}
	if r.body == nil && r.obj.Size > inOnePiece {
		return q.sendParts(r)
	}
	if q.zonesByReference() {
		r.body = withoutZones(r.body)
		q.w.Header().Add("Vary", "CalDAV-Timezones")
	}
	if len(r.body) > weighty {
		if err := q.hold(len(r.body)); err != nil {
			return err
		}
	}
	q.w.Header().Set("Content-Length", strconv.Itoa(len(r.body)))
	_, err := timed{q}.Write(r.body)
	return ignoreGone(err)
}

// getAs is GET in another syntax than iCalendar.
func (q *request) getAs(r *resource, as *syntax) error {
	h := q.w.Header()
	h.Add("Vary", "Accept")
	h.Set("Content-Type", as.mediaType+"; charset=utf-8")
	h.Set("ETag", as.tag(r.obj.ETag))
	if done, err := q.conditional(as.tag(r.obj.ETag), r.obj.Modified); done || err != nil {
		return err
	}
	if r.body == nil { // large ones were left in the store
		if err := q.hold(weightOfParsed * max(r.obj.Size, inOnePiece)); err != nil {
			return err
		}
		whole, err := q.text(q.at, math.MaxInt)
		if err != nil {
			return err
		}
		r.body = whole.body
	}
	body, err := as.convert(r.body)
	if err != nil {
		return err
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if q.r.Method == http.MethodHead {
		return nil
	}
	_, err = timed{q}.Write(body)
	return ignoreGone(err)
}

// inOnePiece is what of an object may lie in memory while a slow client takes
// it; larger ones are read in parts of this size, so that many slow clients
// hold little.
const inOnePiece = 256 << 10

// sendParts sends a large object as the client takes it.
func (q *request) sendParts(r *resource) error {
	q.w.Header().Set("Content-Length", strconv.Itoa(r.obj.Size))
	if q.r.Method == http.MethodHead {
		q.w.WriteHeader(http.StatusOK)
		return nil
	}
	for sent := 0; sent < r.obj.Size; {
		part, err := q.s.calendar.Part(q.ctx, r.obj, sent, inOnePiece)
		if err == nil && len(part) == 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			if sent == 0 {
				q.w.Header().Del("Content-Length")
				return err
			}
			q.breakOff(err)
		}
		if _, err := (timed{q}).Write(part); err != nil {
			q.breakOff(err)
		}
		sent += len(part)
	}
	return nil
}

func (q *request) objectHeaders(r *resource) {
	h := q.w.Header()
	h.Set("Content-Type", r.contentType())
	h.Set("ETag", r.obj.ETag)
	if !r.obj.Modified.IsZero() {
		h.Set("Last-Modified", r.obj.Modified.UTC().Format(http.TimeFormat))
	}
	if r.obj.ScheduleTag != "" { // RFC 6638 8.2
		h.Set("Schedule-Tag", r.obj.ScheduleTag)
	}
}

// conditional evaluates the preconditions of a GET in the order of RFC 9110
// 13.2.2; done means that the answer has been written.
func (q *request) conditional(etag string, modified time.Time) (done bool, err error) {
	h := q.r.Header
	if tags := etags(h, "If-Match"); tags != nil {
		if !slices.Contains(tags, "*") && !slices.Contains(tags, etag) {
			return false, problem.New(problem.PreconditionFailed, "The resource is no longer what If-Match asks for.")
		}
	} else if since, err := http.ParseTime(h.Get("If-Unmodified-Since")); err == nil && modified.Truncate(time.Second).After(since) {
		return false, problem.New(problem.PreconditionFailed, "The resource was changed since the time in If-Unmodified-Since.")
	}
	unchanged := false
	if tags := etags(h, "If-None-Match"); tags != nil {
		unchanged = slices.ContainsFunc(tags, func(t string) bool { return t == "*" || strings.TrimPrefix(t, "W/") == etag })
	} else if since, err := http.ParseTime(h.Get("If-Modified-Since")); err == nil && !modified.IsZero() {
		unchanged = !modified.Truncate(time.Second).After(since)
	}
	if !unchanged {
		return false, nil
	}
	q.w.Header().Del("Content-Type")
	q.w.WriteHeader(http.StatusNotModified)
	return true, nil
}

// export is GET on a calendar: all of it as one file.
func (q *request) export(r *resource) error {
	h := q.w.Header()
	h.Set("Content-Type", calendarType)
	h.Set("ETag", `"`+r.ctag()+`"`)
	h.Set("Content-Disposition", `attachment; filename="calendar.ics"; filename*=UTF-8''`+escape(r.coll.Name)+`.ics`)
	if done, err := q.conditional(`"`+r.ctag()+`"`, time.Time{}); done || err != nil {
		return err
	}
	if q.r.Method == "HEAD" {
		q.w.WriteHeader(http.StatusOK)
		return nil
	}
	if err := q.hold(weightOfExport); err != nil {
		return err
	}
	out := &spooled{q: q, status: http.StatusOK}
	return out.finish(q.s.calendar.Export(q.ctx, q.by, r.owner.ID, r.coll.Name, out))
}
