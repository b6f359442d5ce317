package imip

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// part is a MIME entity to be written: its Content- fields and its encoded body,
// in pieces that may belong to other mails too.
type part struct {
	header  string // each field ends with CRLF
	content []piece
}

// piece is a part of a body. clear says that what every boundary begins with is
// nowhere in it, so that a long one need not be searched for each mail.
type piece struct {
	octets []byte
	clear  bool
}

func pieceOf(b []byte) piece { return piece{b, !bytes.Contains(b, []byte(boundaryBegins))} }

const boundaryBegins = "=_"

// entity are the octets of a part, behind the fields that are given.
func (p part) entity(fields string) []byte {
	size := len(fields) + len(p.header) + 2
	for _, c := range p.content {
		size += len(c.octets)
	}
	b := append(append(append(make([]byte, 0, size), fields...), p.header...), "\r\n"...)
	for _, c := range p.content {
		b = append(b, c.octets...)
	}
	return b
}

func (p part) has(boundary string) bool {
	for _, c := range p.content {
		if !c.clear && bytes.Contains(c.octets, []byte(boundary)) {
			return true
		}
	}
	return strings.Contains(p.header, boundary)
}

// leaf encodes a body: as it is where every transport carries it unchanged,
// else in base64 (RFC 2045 6).
func leaf(mediaType, disposition string, body []byte, alwaysBase64 bool) part {
	var h strings.Builder
	writeField(&h, "Content-Type", mediaType)
	if disposition != "" {
		writeField(&h, "Content-Disposition", disposition)
	}
	if !alwaysBase64 && sevenBit(body) {
		writeField(&h, "Content-Transfer-Encoding", "7bit")
		return part{h.String(), []piece{pieceOf(body)}}
	}
	writeField(&h, "Content-Transfer-Encoding", "base64")
	const width = 76 // RFC 2045 6.8
	text := base64.StdEncoding.EncodeToString(body)
	b := make([]byte, 0, len(text)+2*(len(text)/width+1))
	for len(text) > width {
		b = append(append(b, text[:width]...), "\r\n"...)
		text = text[width:]
	}
	return part{h.String(), []piece{pieceOf(append(append(b, text...), "\r\n"...))}}
}

// joined makes a multipart of parts. The boundary comes from the message's identity, so
// that the same message is the same octets, and occurs in no part.
func joined(subtype, identity, salt string, parts ...part) part {
	boundary := ""
	for n := 0; boundary == ""; n++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", identity, salt, n))
		boundary = boundaryBegins + hex.EncodeToString(sum[:12])
		for _, p := range parts {
			if p.has(boundary) {
				boundary = ""
				break
			}
		}
	}
	var h strings.Builder
	writeField(&h, "Content-Type", fmt.Sprintf(`multipart/%s; boundary="%s"`, subtype, boundary))
	var content []piece
	text := func(s string) { content = append(content, piece{octets: []byte(s)}) }
	for _, p := range parts {
		text("--" + boundary + "\r\n" + p.header + "\r\n")
		content = append(content, p.content...)
		// The CRLF before a delimiter belongs to it; one more keeps the text's own.
		end := "\r\n"
		if n := len(content); n > 0 && !bytes.HasSuffix(content[n-1].octets, []byte(end)) {
			end += "\r\n"
		}
		text(end)
	}
	text("--" + boundary + "--\r\n")
	return part{h.String(), content}
}

// sevenBit tells whether a body is 7bit data of RFC 2045 2.7, and safe from
// software that changes lines which begin with "From " or are a lone dot.
func sevenBit(body []byte) bool {
	for len(body) > 0 {
		end := bytes.IndexByte(body, '\n')
		line := body
		if end >= 0 {
			if end == 0 || body[end-1] != '\r' {
				return false
			}
			line, body = body[:end-1], body[end+1:]
		} else {
			body = nil
		}
		if len(line) > 998 || bytes.HasPrefix(line, []byte("From ")) || string(line) == "." {
			return false
		}
		for _, c := range line {
			if c >= 0x80 || c == 0 || c == '\r' {
				return false
			}
		}
	}
	return true
}

// fold writes an iCalendar stream for the wire: UTF-8, CRLF, and content lines
// folded at 75 octets between characters (RFC 5545 3.1, OUT-03).
func fold(object []byte) []byte {
	text := strings.ReplaceAll(string(object), "\r\n", "\n")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\n ", ""), "\n\t", "")
	var b bytes.Buffer
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		if !utf8.ValidString(line) { // the part is labelled UTF-8
			line = toUTF8([]byte(line), "")
		}
		room := 75
		for len(line) > room {
			cut := room
			for cut > 0 && !utf8.RuneStart(line[cut]) {
				cut--
			}
			b.WriteString(line[:cut] + "\r\n ")
			line, room = line[cut:], 74
		}
		b.WriteString(line + "\r\n")
	}
	return b.Bytes()
}

// writeField writes a header field folded at blanks, at about 76 octets
// (RFC 5322 2.1.1). No value can end the field early: CR and LF are blanks.
func writeField(b *strings.Builder, name, value string) {
	value = strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' || r == 0 || r == '\t' {
			return ' '
		}
		return r
	}, value)
	b.WriteString(name + ":")
	width := len(name) + 1
	for _, word := range strings.Fields(value) {
		if width+1+len(word) > 76 && width > len(name)+1 {
			b.WriteString("\r\n")
			width = 0
		}
		b.WriteString(" " + word)
		width += 1 + len(word)
	}
	b.WriteString("\r\n")
}

// encodeText writes unstructured text for a header: as it is where it is plain
// ASCII of ordinary words, else as encoded words (RFC 2047 2, 5).
func encodeText(s string) string {
	s = strings.Join(strings.Fields(strings.Map(printable, s)), " ")
	plain := !strings.Contains(s, "=?")
	for _, word := range strings.Fields(s) {
		plain = plain && isASCII(word) && len(word) <= 200
	}
	if plain {
		return s
	}
	// RFC 2047 2: an encoded word has at most 75 characters, and holds whole ones.
	const most = 45 // octets; 60 characters in base64 and 12 around them
	var words []string
	for len(s) > 0 {
		cut := min(most, len(s))
		for cut < len(s) && !utf8.RuneStart(s[cut]) {
			cut--
		}
		words = append(words, "=?UTF-8?B?"+base64.StdEncoding.EncodeToString([]byte(s[:cut]))+"?=")
		s = s[cut:]
	}
	return strings.Join(words, " ")
}

// printable makes control characters blanks and broken UTF-8 visible.
func printable(r rune) rune {
	if r < ' ' || 0x7f <= r && r <= 0x9f || r == '\u2028' || r == '\u2029' {
		return ' '
	}
	return r
}

// mailboxText writes name and address (RFC 5322 3.4).
func mailboxText(m Mailbox) string {
	name := strings.Join(strings.Fields(strings.Map(printable, m.Name)), " ")
	name = clip(name, 200)
	switch {
	case name == "" || strings.EqualFold(name, m.Address):
		return m.Address
	case isASCII(name) && !strings.Contains(name, "=?"):
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name)
		return `"` + quoted + `" <` + m.Address + ">"
	}
	return encodeText(name) + " <" + m.Address + ">"
}
