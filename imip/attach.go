package imip

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// maxAttached bounds the files that go along with a message, octets in all. Most
// mail servers take no more than 25 MB, and base64 makes 10 MB 13.7.
const maxAttached = 10 << 20

// maxAttachments of one message, in or out.
const maxAttachments = 50

// detach takes the files that lie in a calendar object out of it: each becomes a
// part of the same mail, which the object names by its Content-ID (RFC 6047 5.1,
// OUT-10). Within the object they would make it too long for programs that read
// only so much of a text part. What is too large for a mail is left out, and
// named. The object given stays as it is.
func detach(cal *ical.Calendar, identity string) (object *ical.Calendar, parts []part, left []string) {
	if !hasBinary(cal) {
		return cal, nil, nil
	}
	cal = cal.Clone()
	total := 0
	ids := map[string]bool{} // the same file of several components goes once
	for _, c := range cal.Main() {
		var drop []*ical.Property
		for p := range c.Props("ATTACH") {
			if !isBinary(p) {
				continue
			}
			name := p.Param("FILENAME")
			if name == "" {
				name = p.Param("X-FILENAME")
			}
			data, err := decodeBinary(p.Value())
			sum := sha256.Sum256(data)
			id := hex.EncodeToString(sum[:12]) + "." + identity
			if err != nil || !ids[id] && (total+len(data) > maxAttached || len(parts) == maxAttachments) {
				drop = append(drop, p)
				left = append(left, oneLine(firstText(name, "a file")))
				continue
			}
			if !ids[id] {
				ids[id] = true
				total += len(data)
				file := leaf(mediaTypeOf(p), "attachment"+parameter("filename", name), data, true)
				file.header += "Content-ID: <" + id + ">\r\n"
				parts = append(parts, file)
			}
			for _, inline := range []string{"ENCODING", "VALUE"} {
				p.SetParam(inline)
			}
			p.SetValue("cid:" + id)
		}
		for _, d := range drop {
			c.RemoveFunc(func(p *ical.Property) bool { return p == d })
		}
	}
	return cal, parts, left
}

func hasBinary(cal *ical.Calendar) bool {
	for _, c := range cal.Main() {
		for p := range c.Props("ATTACH") {
			if isBinary(p) {
				return true
			}
		}
	}
	return false
}

func isBinary(p *ical.Property) bool {
	return strings.EqualFold(p.Param("VALUE"), "BINARY") || strings.EqualFold(p.Param("ENCODING"), "BASE64")
}

func decodeBinary(s string) ([]byte, error) {
	s = strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '=' {
			return -1
		}
		return r
	}, s)
	return base64.RawStdEncoding.DecodeString(s)
}

// mediaTypeOf is FMTTYPE where it is one; a stranger's client wrote it.
func mediaTypeOf(p *ical.Property) string {
	t := p.Param("FMTTYPE")
	kind, sub, ok := strings.Cut(t, "/")
	token := func(s string) bool {
		return s != "" && len(s) < 80 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&^_.+-") == ""
	}
	if !ok || !token(kind) || !token(sub) || strings.EqualFold(kind, "multipart") || strings.EqualFold(kind, "message") || strings.EqualFold(t, "text/calendar") || strings.EqualFold(t, "application/ics") {
		return "application/octet-stream"
	}
	return t
}

// parameter writes a MIME parameter: as it is, or in the form of RFC 2231.
func parameter(name, value string) string {
	value = clip(oneLine(value), 120)
	if value == "" {
		return ""
	}
	if isASCII(value) && !strings.ContainsAny(value, `"\`) {
		return fmt.Sprintf(`; %s="%s"`, name, value)
	}
	var b strings.Builder
	for _, c := range []byte(value) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return fmt.Sprintf("; %s*=UTF-8''%s", name, b.String())
}

func firstText(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// attach puts files that a calendar object names by their Content-ID, and that
// lie in the same mail, into it: the object goes on without the mail.
func (w *walker) attach(f *Found) {
	total := 0
	for _, c := range f.Calendar.Main() {
		n := 0
		for p := range c.Props("ATTACH") {
			id, ok := cutFold(strings.TrimSpace(p.Value()), "cid:")
			e := w.named[strings.Trim(id, "<>")]
			if !ok || e == nil {
				continue
			}
			file := w.file(e)
			if total += len(file.data); n >= maxAttachments || total > w.tree.limits.Calendar {
				if !file.left {
					file.left = true
					w.parsed.Notes = append(w.parsed.Notes, fmt.Sprintf("The file %s is too large to be kept with the event; it is in the mail.", file.name))
				}
				continue
			}
			n++
			if p.Param("FMTTYPE") == "" && e.media.value != "" {
				p.SetParam("FMTTYPE", e.media.value)
			}
			if file.name != "" && p.Param("FILENAME") == "" {
				p.SetParam("FILENAME", file.name)
			}
			p.SetParam("ENCODING", "BASE64")
			p.SetParam("VALUE", "BINARY")
			p.SetValue(base64.StdEncoding.EncodeToString(file.data))
		}
	}
}

// attached is a file of the mail, decoded.
type attached struct {
	name string
	data []byte
	left bool // it was too large for an event, and that is noted
}

// file decodes a part once: a small calendar can name a large file any number of times.
func (w *walker) file(e *entity) *attached {
	f := w.files[e]
	if f == nil {
		if w.files == nil {
			w.files = map[*entity]*attached{}
		}
		f = &attached{name: clip(oneLine(e.fileName()), 120), data: e.decoded()}
		w.files[e] = f
	}
	return f
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}
