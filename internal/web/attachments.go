package web

import (
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
)

// attachmentOnWire is a file or an address that goes with an event.
type attachmentOnWire struct {
	Name    string `json:"name"`
	URL     string `json:"url"` // "" for one that the event holds in itself
	Size    int    `json:"size"`
	Managed string `json:"managed"` // its identifier where this server keeps it (RFC 8607)
}

// attachmentsOf lists what goes with a component. Addresses that a browser
// would run rather than open are not links.
func attachmentsOf(c *ical.Component) []attachmentOnWire {
	out := []attachmentOnWire{}
	for p := range c.Props("ATTACH") {
		a := attachmentOnWire{Name: p.Param("FILENAME"), Managed: p.Param("MANAGED-ID")}
		a.Size, _ = strconv.Atoi(p.Param("SIZE")) // without one it is not shown
		if strings.EqualFold(p.Param("VALUE"), "BINARY") {
			if a.Name == "" {
				a.Name = "a file within the event"
			}
		} else if url := p.Value(); strings.HasPrefix(strings.ToLower(url), "https://") || strings.HasPrefix(strings.ToLower(url), "http://") {
			a.URL = url
			if a.Name == "" {
				a.Name = url
			}
		} else if a.Name == "" {
			a.Name = url
		}
		out = append(out, a)
	}
	return out
}

func (a *app) postAttachment(r *request) (any, error) {
	tag, err := ifMatch(r)
	if err != nil {
		return nil, err
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		kind = "application/octet-stream"
	}
	most := a.o.Calendar.Limits().ResourceSize
	body, err := io.ReadAll(http.MaxBytesReader(r.w, r.Body, int64(most)))
	if err != nil {
		return nil, problem.New(problem.TooLarge, "The file has more than %d octets, or did not come whole.", most).Because(err)
	}
	return a.attach(r, calendar.AttachRequest{Action: "attachment-add", Filename: r.URL.Query().Get("filename"), ContentType: kind, Body: body, If: calendar.Precondition{IfMatch: []string{tag}}})
}

func (a *app) deleteAttachment(r *request) (any, error) {
	tag, err := ifMatch(r)
	if err != nil {
		return nil, err
	}
	return a.attach(r, calendar.AttachRequest{Action: "attachment-remove", ManagedID: r.URL.Query().Get("managed"), If: calendar.Precondition{IfMatch: []string{tag}}})
}

func (a *app) attach(r *request, req calendar.AttachRequest) (any, error) {
	ref, err := a.ref(r, pathOf(r))
	if err != nil {
		return nil, err
	}
	req.By, req.Ref, req.Base = r.who, ref, a.base(r.Request)+"/attachments/"
	res, err := a.o.Calendar.Attach(r.ctx(), req)
	if problem.Has(err, problem.PreconditionFailed) {
		return nil, changedMeanwhile().Because(err)
	}
	if err != nil {
		return nil, err
	}
	return saved{pathOf(r), res.Object.UID, told(res.Sent)}, nil
}
