package davserver

import (
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
)

// attachmentPath begins the addresses of managed attachments: /attachments/{token}/{name}.
const attachmentPath = "/attachments/"

// attachmentProperties are those of RFC 8607 6.
var attachmentProperties = []property{
	{name: caldav.C("managed-attachments-server-URL"), where: home, value: empty}, // the same server
	{name: caldav.C("max-attachment-size"), where: home | calendarColl, value: func(q *request, _ *resource, x *caldav.Writer) (bool, error) {
		return text(x, strconv.Itoa(q.s.calendar.Limits().ResourceSize), false)
	}},
	{name: caldav.C("max-attachments-per-resource"), where: home | calendarColl, value: func(_ *request, _ *resource, x *caldav.Writer) (bool, error) {
		return text(x, strconv.Itoa(calendar.MaxAttachments), false)
	}},
}

// postAttachment is POST ?action=attachment-… on an event (RFC 8607 3.4–3.6).
func (q *request) postAttachment() error {
	query := q.r.URL.Query()
	owner, coll, err := q.target(q.at)
	if err != nil {
		return err
	}
	body, err := q.readBody(q.s.calendar.Limits().ResourceSize, calendar.AttachmentTooLarge)
	if err != nil {
		return err
	}
	cond, err := q.conditions()
	if err != nil {
		return err
	}
	contentType, _, err := mime.ParseMediaType(q.r.Header.Get("Content-Type"))
	if err != nil || len(contentType) > 100 {
		contentType = "application/octet-stream"
	}
	_, params, _ := mime.ParseMediaType(q.r.Header.Get("Content-Disposition")) // RFC 8607 3.4
	res, err := q.s.calendar.Attach(q.ctx, calendar.AttachRequest{
		By: q.by, Ref: calendar.Ref{Owner: owner, Collection: coll, Name: q.at.name},
		Action: query.Get("action"), ManagedID: query.Get("managed-id"), RID: query.Get("rid"),
		Filename: params["filename"], ContentType: contentType, Body: body, Base: q.base() + attachmentPath, If: cond,
	})
	if err != nil {
		return err
	}
	h := q.w.Header()
	if res.ManagedID != "" {
		h.Set("Cal-Managed-ID", res.ManagedID) // RFC 8607 4.1
	}
	if r, err := q.text(q.at, math.MaxInt); err == nil {
		h.Set("ETag", r.obj.ETag)
		if r.obj.ScheduleTag != "" {
			h.Set("Schedule-Tag", r.obj.ScheduleTag)
		}
		if q.prefer.representation {
			q.applied("return=representation")
			h.Set("Content-Location", r.href())
			status := http.StatusOK
			if query.Get("action") == "attachment-add" {
				status = http.StatusCreated
			}
			return q.sendObject(r, status)
		}
	}
	if query.Get("action") == "attachment-add" {
		return q.nothing(http.StatusCreated)
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// base is how clients reach this service.
func (q *request) base() string {
	if q.s.public != "" {
		return q.s.public
	}
	if q.r.TLS != nil || q.r.Header.Get("X-Forwarded-Proto") == "https" {
		return "https://" + q.r.Host
	}
	return "http://" + q.r.Host
}

// attachment is GET of a managed attachment, for anyone who has its address:
// the people who are invited have no account here (RFC 8607 3.12.2).
func (q *request) attachment(rest string) error {
	if done, err := q.onlyRead(); done || err != nil {
		return err
	}
	token, _, _ := strings.Cut(rest, "/")
	token, err := url.PathUnescape(token)
	if err != nil || token == "" || len(token) > 100 {
		return problem.New(problem.NotFound, "There is nothing at this address.")
	}
	a, body, err := q.s.calendar.Attachment(q.ctx, token)
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", a.ContentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.Filename}))
	h.Set("X-Robots-Tag", "noindex")
	etag := `"a` + strconv.FormatInt(a.ID, 10) + `"`
	h.Set("ETag", etag)
	if done, err := q.conditional(etag, time.Time{}); done || err != nil {
		return err
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if q.r.Method == http.MethodHead {
		return nil
	}
	_, err = timed{q}.Write(body)
	return ignoreGone(err)
}
