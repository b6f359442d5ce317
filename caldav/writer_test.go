package caldav

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestWriterEscapesAndDropsWhatXMLCannotSay(t *testing.T) {
	in := "a<b>&\"c\"\r\nd\te\x00\x08\x0b\x1f\ufffe\uffff\xffZoë🎂"
	var w Writer
	w.StartDocument(D("prop"))
	w.Text(in)
	w.Empty(Name{Space: `u:"&x`, Local: "y"}, "z", in)
	w.End(D("prop"))
	e, err := ParseElement(w.Bytes(), Limits{})
	if err != nil {
		t.Fatalf("%s: %v", w.Bytes(), err)
	}
	want := "a<b>&\"c\"\r\nd\te\uFFFDZoë🎂"
	if e.Text() != want {
		t.Errorf("text %q, want %q", e.Text(), want)
	}
	y := e.Child(Name{Space: `u:"&x`, Local: "y"})
	if y == nil || y.Attr("z") != want {
		t.Errorf("element %v, want attribute %q", y, want)
	}
}

func TestMultistatusGroupsByStatus(t *testing.T) {
	var out bytes.Buffer
	m := NewMultistatus(&out, false)
	var p Propstats
	p.At(200).Element(D("displayname"), "A & B")
	p.At(404).Empty(Name{Space: "u:x", Local: "color"})
	p.Refused(403, D("cannot-modify-protected-property"), "No.").Empty(D("getetag"))
	m.Response("/a%20b/", &p)
	p.Reset()
	m.Response("/c", &p)
	m.Status("/d", 404, Name{}, "")
	if err := m.Close("http://example.org/sync/1"); err != nil {
		t.Fatal(err)
	}
	want := `<?xml version="1.0" encoding="utf-8"?>
<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:cs="http://calendarserver.org/ns/" xmlns:ical="http://apple.com/ns/ical/">` +
		`<d:response><d:href>/a%20b/</d:href>` +
		`<d:propstat><d:prop><d:displayname>A &amp; B</d:displayname></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>` +
		`<d:propstat><d:prop><x:color xmlns:x="u:x"/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>` +
		`<d:propstat><d:prop><d:getetag/></d:prop><d:status>HTTP/1.1 403 Forbidden</d:status><d:error><d:cannot-modify-protected-property/></d:error><d:responsedescription>No.</d:responsedescription></d:propstat>` +
		`</d:response>` +
		`<d:response><d:href>/c</d:href><d:propstat><d:prop/><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>` +
		`<d:response><d:href>/d</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>` +
		`<d:sync-token>http://example.org/sync/1</d:sync-token></d:multistatus>`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestMinimalAnswersLeaveMissingPropertiesOut(t *testing.T) { // RFC 8144 2.1
	var out bytes.Buffer
	m := NewMultistatus(&out, true)
	var p Propstats
	p.At(404).Empty(D("displayname"))
	m.Response("/a", &p)
	if err := m.Close(""); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.Contains(s, "404") || !strings.Contains(s, "<d:propstat><d:prop/><d:status>HTTP/1.1 200 OK</d:status></d:propstat>") {
		t.Errorf("got %s", s)
	}
}

type counter struct {
	largest, calls int
}

func (c *counter) Write(b []byte) (int, error) {
	c.calls++
	c.largest = max(c.largest, len(b))
	return len(b), nil
}

func TestLongMultistatusGoesOutInPieces(t *testing.T) {
	var c counter
	m := NewMultistatus(&c, false)
	var p Propstats
	for range 10_000 {
		p.Reset()
		p.At(200).Element(D("getetag"), `"0123456789abcdef"`)
		m.Response("/dav/calendars/alice/default/0123456789.ics", &p)
	}
	if err := m.Close(""); err != nil {
		t.Fatal(err)
	}
	if c.largest > 2*piece || c.calls < 10 {
		t.Errorf("%d pieces, the largest of %d octets", c.calls, c.largest)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestWriterRemembersThatItsDestinationIsGone(t *testing.T) {
	w := NewWriter(broken{})
	for range 3 * piece {
		w.Element(D("x"), "y")
	}
	if w.Flush() == nil || len(w.Bytes()) > 2*piece {
		t.Errorf("error %v, %d octets kept", w.Flush(), len(w.Bytes()))
	}
}
