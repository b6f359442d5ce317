package mailauth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"strings"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/convene-cal/convene/internal/trust"
)

// maxSignatures bounds the signatures of one mail that are checked. Mail that
// went through two lists and a forwarder has five.
const maxSignatures = 8

// mustCover are the fields that a signature must cover each time they occur:
// they say who writes and how the body is to be read.
var mustCover = []string{"from", "subject", "content-type", "mime-version", "content-transfer-encoding"}

func (c *Checker) checkDKIM(ctx context.Context, raw []byte) []trust.Result {
	h := readFields(raw)
	signatures := h.values("dkim-signature")
	if len(signatures) == 0 {
		return nil
	}
	verifications, err := dkim.VerifyWithOptions(bytes.NewReader(crlf(raw)), &dkim.VerifyOptions{
		LookupTXT:        func(name string) ([]string, error) { return c.resolver.LookupTXT(ctx, name) },
		MaxVerifications: maxSignatures,
	})
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) {
		return []trust.Result{permanent("dkim", "the mail cannot be read: %v", err)}
	}
	var out []trust.Result
	for i, v := range verifications {
		if i >= len(signatures) {
			break
		}
		r := trust.Result{Method: "dkim", Value: "pass", Properties: map[string]string{"header.d": strings.ToLower(v.Domain)}}
		tags := parseTags(signatures[i])
		if s := tags["s"]; s != "" {
			r.Properties["header.s"] = s
		}
		switch why := h.uncovered(tags, v.HeaderKeys, body(raw)); {
		case v.Err != nil && dkim.IsTempFail(v.Err):
			r.Value, r.Reason = "temperror", v.Err.Error()
		case v.Err != nil && dkim.IsPermFail(v.Err):
			r.Value, r.Reason = "permerror", v.Err.Error()
		case v.Err != nil:
			r.Value, r.Reason = "fail", v.Err.Error()
		case !strings.EqualFold(tags["d"], v.Domain):
			r.Value, r.Reason = "policy", "the signature cannot be told from another"
		case why != "":
			r.Value, r.Reason = "policy", why
		}
		out = append(out, r)
	}
	return out
}

// uncovered says what a signature leaves open to change that would make another
// scheduling message of the mail, "" if nothing.
func (h fields) uncovered(tags map[string]string, keys []string, body []byte) string {
	// Lines of a calendar look like fields, which no signature need cover; to a
	// reader that forgives a missing blank line they begin the body.
	if len(h.values("begin")) > 0 {
		return "a calendar stands among the header fields, which is not signed"
	}
	if _, ok := tags["l"]; ok {
		return "the signature covers only the beginning of the body (l=)"
	}
	signed := map[string]int{}
	for _, k := range keys {
		signed[strings.ToLower(strings.TrimSpace(k))]++
	}
	for _, name := range mustCover {
		values := h.values(name)
		if len(values) <= signed[name] {
			continue
		}
		if len(values) > 1 {
			return fmt.Sprintf("the mail has a second %s field, which is not signed", name)
		}
		if name == "subject" || name == "mime-version" || name == "content-transfer-encoding" && strings.EqualFold(strings.TrimSpace(values[0]), "7bit") {
			continue // it changes nothing in how the calendar is read
		}
		// Gmail signs no Content-Type. A multipart's structure lies in the signed
		// body, where the boundary is the first line: another one could make parts
		// of text that the sender only quoted. Any other type could be made
		// text/calendar on the way.
		if name == "content-type" && delimits(values[0], body) {
			continue
		}
		return fmt.Sprintf("the signature does not cover %s", name)
	}
	return ""
}

// delimits tells whether a Content-Type is that of a multipart and its boundary
// the first line of the body.
func delimits(contentType string, body []byte) bool {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.HasPrefix(media, "multipart/") || params["boundary"] == "" {
		return false
	}
	first, _, _ := bytes.Cut(bytes.TrimLeft(body, "\r\n"), []byte("\n"))
	return string(bytes.TrimRight(first, " \t\r")) == "--"+params["boundary"]
}

// body is what lies behind the header section.
func body(raw []byte) []byte {
	for len(raw) > 0 {
		line, rest, _ := bytes.Cut(raw, []byte("\n"))
		if raw = rest; len(bytes.TrimRight(line, "\r")) == 0 {
			break
		}
	}
	return raw
}

// fields are a mail's header fields in their order, names in lower case.
type fields []struct{ name, value string }

func (h fields) values(name string) (list []string) {
	for _, f := range h {
		if f.name == name {
			list = append(list, f.value)
		}
	}
	return list
}

// readFields reads the header section as DKIM sees it (RFC 6376 2.3): unfolded.
func readFields(raw []byte) (h fields) {
	for line := range bytes.Lines(raw) {
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			break
		}
		if (text[0] == ' ' || text[0] == '\t') && len(h) > 0 {
			h[len(h)-1].value += text
			continue
		}
		name, value, ok := strings.Cut(text, ":")
		if ok {
			h = append(h, struct{ name, value string }{strings.ToLower(strings.TrimSpace(name)), value})
		}
	}
	return h
}

// parseTags reads a tag list (RFC 6376 3.2). A tag given twice makes it invalid.
func parseTags(s string) map[string]string {
	tags := map[string]string{}
	for part := range strings.SplitSeq(s, ";") {
		name, value, ok := strings.Cut(part, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			continue
		}
		if _, twice := tags[name]; twice {
			return nil
		}
		tags[name] = strings.TrimSpace(value)
	}
	return tags
}

// crlf is the mail as it was on the wire: a pipe gives bare line feeds.
func crlf(raw []byte) []byte {
	if bytes.Contains(raw, []byte("\r\n")) {
		return raw
	}
	return bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
}
