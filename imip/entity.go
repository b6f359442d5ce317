package imip

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Limits bound what Parse will look at. The zero value of a field means its default.
type Limits struct {
	Size     int // octets of the mail; default 25 MB
	Depth    int // nested multiparts; default 20
	Parts    int // parts in all; default 200
	Calendar int // octets of one calendar object, decoded; default 1 MB
	Fields   int // header fields of one entity; default 1000
	Objects  int // calendar objects in one mail; default 100
}

func (l Limits) orDefaults() Limits {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def(&l.Size, 25<<20)
	def(&l.Depth, 20)
	def(&l.Parts, 200)
	def(&l.Calendar, 1<<20)
	def(&l.Fields, 1000)
	def(&l.Objects, 100)
	return l
}

// ErrLimit is matched by the errors of [Parse].
var ErrLimit = errors.New("limit exceeded")

// entity is a MIME entity (RFC 2045 2.4), a leaf or a multipart.
type entity struct {
	header      header
	media       mediaType
	disposition mediaType
	raw         []byte // all of it as it stands, which is what a signature covers; nil for the mail itself
	body        []byte // encoded; nil for a multipart
	parts       []*entity
	path        string // "1.2": the place in the tree, as IMAP counts; "" for the mail itself
}

// tree reads entities with the bounds of one mail.
type tree struct {
	limits Limits
	parts  int
}

// entity takes a MIME entity and all below it apart. path is its place ("1.2"),
// fallback the media type where none is stated.
func (t *tree) entity(data []byte, path string, depth int, fallback string) (*entity, error) {
	if t.parts++; t.parts > t.limits.Parts {
		return nil, fmt.Errorf("imip: the mail has more than %d parts: %w", t.limits.Parts, ErrLimit)
	}
	if depth > t.limits.Depth {
		return nil, fmt.Errorf("imip: the parts of the mail are nested more than %d deep: %w", t.limits.Depth, ErrLimit)
	}
	e := &entity{path: path}
	e.header, e.body = splitHeader(data, t.limits.Fields)
	e.media = parseMediaType(e.header.get("content-type"))
	e.disposition = parseMediaType(e.header.get("content-disposition"))
	if e.media.value == "" {
		e.media.value = fallback // RFC 2045 5.2, RFC 2046 5.1.5
	}
	if !strings.HasPrefix(e.media.value, "multipart/") {
		return e, nil
	}
	child := "text/plain"
	if e.media.value == "multipart/digest" {
		child = "message/rfc822"
	}
	// RFC 2045 6.4 forbids encoding a multipart; decode it if someone did.
	body := e.body
	if enc := strings.ToLower(e.header.get("content-transfer-encoding")); enc == "base64" || enc == "quoted-printable" && !bytes.Contains(body, []byte("--"+e.media.params["boundary"])) {
		body = decodeTransfer(body, enc)
	}
	pieces := splitParts(body, e.media.params["boundary"])
	if pieces == nil {
		if guess := guessBoundary(body); guess != "" {
			pieces = splitParts(body, guess)
		}
	}
	if pieces == nil { // called a multipart, and is none
		e.media.value = child
		return e, nil
	}
	e.body = nil
	for i, piece := range pieces {
		p := fmt.Sprint(i + 1)
		if path != "" {
			p = path + "." + p
		}
		c, err := t.entity(skipBlank(piece), p, depth+1, child)
		if err != nil {
			return nil, err
		}
		c.raw = piece
		e.parts = append(e.parts, c)
	}
	return e, nil
}

// splitParts cuts a multipart body at its boundary (RFC 2046 5.1.1). Text
// before the first and behind the last delimiter is no part; a missing last
// delimiter is the end of the data. nil where the boundary does not occur.
func splitParts(body []byte, boundary string) [][]byte {
	if strings.TrimSpace(boundary) == "" {
		return nil
	}
	delimiter := []byte("--" + boundary)
	var parts [][]byte
	start := -1
	for pos := 0; pos < len(body); {
		end := bytes.IndexByte(body[pos:], '\n')
		next := len(body)
		if end >= 0 {
			next = pos + end + 1
		}
		if line := body[pos:next]; bytes.HasPrefix(line, delimiter) {
			tail := bytes.TrimRight(line[len(delimiter):], " \t\r\n")
			closing := bytes.Equal(tail, []byte("--"))
			if closing || len(tail) == 0 {
				if start >= 0 {
					parts = append(parts, trimLineEnd(body[start:pos]))
				}
				start = next
				if closing {
					return parts
				}
			}
		}
		pos = next
	}
	if start >= 0 {
		if last := body[start:]; len(bytes.TrimSpace(last)) > 0 { // else: the closing delimiter lacks its "--"
			parts = append(parts, last)
		}
	}
	return parts
}

// trimLineEnd removes the line end that belongs to the following delimiter.
func trimLineEnd(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}

// guessBoundary takes the first line of a multipart that begins like a
// delimiter, where the parameter is missing or wrong.
func guessBoundary(body []byte) string {
	for range 200 { // lines; a delimiter comes early
		if len(body) == 0 {
			return ""
		}
		var line []byte
		line, body = cutLine(body)
		if text, ok := bytes.CutPrefix(bytes.TrimRight(line, " \t"), []byte("--")); ok && len(bytes.Trim(text, "-")) > 0 {
			header, _ := splitHeader(body, 10)
			if header.get("content-type") != "" {
				return string(text)
			}
		}
	}
	return ""
}

// skipBlank removes blank lines before the header of a part, which the examples
// of RFC 6047 4.6 have. A part that begins with a blank line has no header
// otherwise, so they are removed only where a Content- field follows.
func skipBlank(part []byte) []byte {
	rest := bytes.TrimLeft(part, " \t\r\n")
	const prefix = "content-"
	if len(rest) < len(part) && len(rest) > len(prefix) && strings.EqualFold(string(rest[:len(prefix)]), prefix) {
		return rest
	}
	return part
}

// fileName is the name that either header field gives the part.
func (e *entity) fileName() string {
	if n := e.disposition.params["filename"]; n != "" {
		return n
	}
	return e.media.params["name"]
}

// decoded is the body without its transfer encoding.
func (e *entity) decoded() []byte {
	return decodeTransfer(e.body, e.header.get("content-transfer-encoding"))
}

// text is the decoded body as UTF-8.
func (e *entity) text() string {
	return toUTF8(e.decoded(), e.media.params["charset"])
}
