package caldav

import (
	"io"
	"strconv"
)

// Propstats collects the properties of one resource by status (RFC 4918 13).
// It may be used again for the next resource after Reset.
type Propstats struct{ groups []propgroup }

type propgroup struct {
	status    int
	condition Name   // of DAV:error, zero when there is none
	sentence  string // DAV:responsedescription
	props     Writer
}

// Reset forgets everything and keeps the memory.
func (p *Propstats) Reset() {
	for i := range p.groups {
		p.groups[i].props.buf = p.groups[i].props.buf[:0]
	}
}

// At is where the properties of the status are written.
func (p *Propstats) At(status int) *Writer { return p.Refused(status, Name{}, "") }

// Refused is like At for properties that share a precondition and a sentence.
func (p *Propstats) Refused(status int, condition Name, sentence string) *Writer {
	for i := range p.groups {
		g := &p.groups[i]
		if g.status == status && g.condition == condition && g.sentence == sentence {
			return &g.props
		}
	}
	p.groups = append(p.groups, propgroup{status: status, condition: condition, sentence: sentence})
	return &p.groups[len(p.groups)-1].props
}

// Multistatus streams a DAV:multistatus (or an element of the same content
// model, such as CALDAV:mkcalendar-response).
type Multistatus struct {
	*Writer
	root    Name
	minimal bool
	began   bool
}

// NewMultistatus writes to out. With minimal, properties that a resource does
// not have are not mentioned (RFC 8144 2.1).
func NewMultistatus(out io.Writer, minimal bool) *Multistatus {
	return &Multistatus{Writer: NewWriter(out), root: D("multistatus"), minimal: minimal}
}

func (m *Multistatus) begin() {
	if !m.began {
		m.began = true
		m.StartDocument(m.root)
	}
}

// Response writes the resource's properties.
func (m *Multistatus) Response(href string, p *Propstats) {
	m.begin()
	m.buf = append(m.buf, "<d:response>"...)
	m.Href(href)
	m.propstats(p)
	m.buf = append(m.buf, "</d:response>"...)
	m.spill()
}

// ResponseAround is Response for a resource of which one property is too large
// to be among p: content writes it where the properties of status 200 are at an
// offset, as [Writer.Bytes] had it, and may flush as often as it likes.
func (m *Multistatus) ResponseAround(href string, p *Propstats, at int, content func(*Writer) error) error {
	for i := range p.groups {
		g := &p.groups[i]
		if g.status != 200 || g.condition != (Name{}) || g.sentence != "" || len(g.props.buf) < at {
			continue
		}
		m.begin()
		m.buf = append(m.buf, "<d:response>"...)
		m.Href(href)
		m.buf = append(m.buf, "<d:propstat><d:prop>"...)
		m.buf = append(m.buf, g.props.buf[:at]...)
		if err := content(m.Writer); err != nil {
			return err
		}
		m.buf = append(m.buf, g.props.buf[at:]...)
		m.buf = append(m.buf, "</d:prop>"...)
		m.status(200, Name{}, "")
		m.buf = append(m.buf, "</d:propstat>"...)
		for k := range p.groups {
			if o := &p.groups[k]; k != i && len(o.props.buf) > 0 && !(m.minimal && o.status == 404) {
				m.propstat(o)
			}
		}
		m.buf = append(m.buf, "</d:response>"...)
		m.spill()
		return m.err
	}
	m.Response(href, p)
	return m.err
}

func (m *Multistatus) propstats(p *Propstats) {
	written := false
	for i := range p.groups {
		g := &p.groups[i]
		if len(g.props.buf) == 0 || m.minimal && g.status == 404 {
			continue
		}
		written = true
		m.propstat(g)
	}
	if !written {
		// A response has at least one propstat (RFC 4918 14.24, RFC 8144 2.1).
		m.propstat(&propgroup{status: 200})
	}
}

func (m *Multistatus) propstat(g *propgroup) {
	// The same words for each of many resources: written as they are.
	m.buf = append(m.buf, "<d:propstat>"...)
	if len(g.props.buf) == 0 {
		m.buf = append(m.buf, "<d:prop/>"...)
	} else {
		m.buf = append(m.buf, "<d:prop>"...)
		m.buf = append(m.buf, g.props.buf...)
		m.buf = append(m.buf, "</d:prop>"...)
	}
	m.status(g.status, g.condition, g.sentence)
	m.buf = append(m.buf, "</d:propstat>"...)
}

// Status writes a response without properties: a member that is gone, or one
// that could not be dealt with and why.
func (m *Multistatus) Status(href string, status int, condition Name, sentence string) {
	m.begin()
	m.Start(D("response"))
	m.Href(href)
	m.status(status, condition, sentence)
	m.Writer.End(D("response"))
}

func (m *Multistatus) status(status int, condition Name, sentence string) {
	m.buf = append(m.buf, "<d:status>"...)
	if status == 200 {
		m.buf = append(m.buf, "HTTP/1.1 200 OK"...)
	} else {
		m.buf = append(m.buf, StatusLine(status)...)
	}
	m.buf = append(m.buf, "</d:status>"...)
	if condition != (Name{}) {
		m.Start(D("error"))
		m.Empty(condition)
		m.Writer.End(D("error"))
	}
	if sentence != "" {
		m.Element(D("responsedescription"), sentence)
	}
}

// End writes the end of the document; a sync token goes in when there is one
// (RFC 6578 6.4). [Writer.Flush] is still to be called.
func (m *Multistatus) End(syncToken string) {
	m.begin()
	if syncToken != "" {
		m.Element(D("sync-token"), syncToken)
	}
	m.Writer.End(m.root)
}

// Close ends the document and passes on all of it.
func (m *Multistatus) Close(syncToken string) error {
	m.End(syncToken)
	return m.Flush()
}

// WritePropstats is a whole document of propstats alone, as a failed
// MKCALENDAR or extended MKCOL answers (RFC 4791 5.3.1.2, RFC 5689 5.2).
func WritePropstats(out io.Writer, root Name, p *Propstats) error {
	m := &Multistatus{Writer: NewWriter(out), root: root}
	m.begin()
	m.propstats(p)
	return m.Close("")
}

// WriteError is a DAV:error with the precondition that was not met, hrefs that
// say what is in the way, and a sentence for people (RFC 4918 16).
func WriteError(out io.Writer, condition Name, hrefs []string, sentence string) error {
	w := NewWriter(out)
	w.StartDocument(D("error"))
	if condition != (Name{}) {
		if len(hrefs) == 0 {
			w.Empty(condition)
		} else {
			w.Start(condition)
			for _, h := range hrefs {
				w.Href(h)
			}
			w.End(condition)
		}
	}
	if sentence != "" {
		// RFC 4918 14.5: DAV:error is extensible; clients pass over what they do not know.
		w.Element(D("responsedescription"), sentence)
	}
	w.End(D("error"))
	return w.Flush()
}

// StatusLine is the text of DAV:status.
func StatusLine(status int) string {
	reason := reasons[status]
	if reason == "" {
		reason = "Status"
	}
	return "HTTP/1.1 " + strconv.Itoa(status) + " " + reason
}

// reasons of the statuses that occur within a multistatus.
var reasons = map[int]string{
	200: "OK", 201: "Created", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
	405: "Method Not Allowed", 409: "Conflict", 410: "Gone", 412: "Precondition Failed", 413: "Content Too Large",
	415: "Unsupported Media Type", 422: "Unprocessable Content", 423: "Locked", 424: "Failed Dependency", 429: "Too Many Requests",
	500: "Internal Server Error", 501: "Not Implemented", 503: "Service Unavailable", 507: "Insufficient Storage",
}

// Within writes responses into the value of a property, as expand-property
// answers (RFC 3253 3.8): no document, no end.
func Within(x *Writer) *Multistatus { return &Multistatus{Writer: x, began: true} }
