package cip

import (
	"errors"
	"fmt"
	"strings"
)

// Codes of a completion (section 1.4).
const (
	CodeNone    = 0 // no further information
	CodeInvalid = 1 // the command or its parameters are bad
	CodeAccess  = 2 // not allowed
	CodePartial = 3 // completed partially; with NO to an RSVP: the event has changed
)

// Information codes (section 2).
const (
	NotFound   = "NOTFOUND"
	Tentative  = "TENTATIVE"
	PermDenied = "PERMDENIED"
	Confirmed  = "CONFIRMED"
	Redirect   = "REDIRECT"
)

// Kinds of redirects.
const (
	RedirectUser  = "USER"
	RedirectEvent = "EVENT"
)

// Info is an informational response: what happened to one user or event.
type Info struct {
	Code string
	Kind string // of a redirect: RedirectUser or RedirectEvent
	ID   string // user or event id
	New  string // of a redirect: the id it is now
	Text string // of a code that is not known: the rest of the line
}

func (i Info) String() string {
	switch {
	case i.Code == Redirect:
		return fmt.Sprintf("* %s %s %s IS NOW %s", i.Code, i.Kind, i.ID, i.New)
	case i.ID != "":
		return "* " + i.Code + " " + i.ID
	}
	return strings.TrimRight("* "+i.Code+" "+i.Text, " ")
}

// parseInfo reads a line without its asterisk. Ids may stand in brackets, as in
// one of the draft's examples, and may be preceded by several spaces.
func parseInfo(s string) Info {
	f := strings.Fields(s)
	if len(f) == 0 {
		return Info{}
	}
	i := Info{Code: strings.ToUpper(f[0])}
	switch i.Code {
	case NotFound, Tentative, PermDenied, Confirmed:
		if len(f) > 1 {
			i.ID = unbracket(f[len(f)-1])
		}
		return i
	case Redirect:
		if len(f) == 6 && strings.EqualFold(f[3], "IS") && strings.EqualFold(f[4], "NOW") {
			if kind := strings.ToUpper(f[1]); kind == RedirectUser || kind == RedirectEvent {
				i.Kind, i.ID, i.New = kind, unbracket(f[2]), unbracket(f[5])
				return i
			}
		}
	}
	i.Text = strings.TrimSpace(s[strings.Index(s, f[0])+len(f[0]):])
	return i
}

func unbracket(s string) string {
	return strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
}

// Reply is the answer to a command.
type Reply struct {
	Data  []byte // of FREEBUSY; nil when there is none
	Infos []Info // in the order of the lines
	OK    bool
	Code  int
	Text  string // for people, nothing relies on it
}

func reply(ok bool, code int, format string, args ...any) Reply {
	return Reply{OK: ok, Code: code, Text: fmt.Sprintf(format, args...)}
}

// Invalid is the reply to a command that is not understood.
func Invalid(format string, args ...any) Reply { return reply(false, CodeInvalid, format, args...) }

// Done is the reply to a command that was carried out.
func Done(format string, args ...any) Reply { return reply(true, CodeNone, format, args...) }

// append writes the reply as lines.
func (r Reply) append(b []byte) []byte {
	if r.Data != nil {
		b = appendData(append(b, "+\r\n"...), r.Data)
	}
	for _, i := range r.Infos {
		b = append(append(b, wireText(i.String())...), '\r', '\n')
	}
	word := "NO"
	if r.OK {
		word = "OK"
	}
	b = fmt.Appendf(b, "%s %03d", word, r.Code)
	if r.Text != "" {
		b = append(append(b, ' '), wireText(r.Text)...)
	}
	return append(b, '\r', '\n')
}

// parseCompletion reads "OK 000 text"; code and text may be missing.
func parseCompletion(s string) (r Reply, ok bool) {
	word, rest, _ := strings.Cut(strings.TrimSpace(s), " ")
	switch strings.ToUpper(word) {
	case "OK":
		r.OK = true
	case "NO":
	default:
		return r, false
	}
	rest = strings.TrimSpace(rest)
	code, text, _ := strings.Cut(rest, " ")
	if n, is := number(code, 3); is && len(code) == 3 {
		r.Code, r.Text = n, strings.TrimSpace(text)
	} else {
		r.Text = rest
	}
	return r, true
}

// Greeting is the server's first line.
type Greeting struct {
	Version Version
	Host    string
}

// Errors of a greeting. Unavailable passes, a version does not.
var (
	ErrUnavailable = errors.New("cip: the server gives no service now")
	ErrVersion     = errors.New("cip: the server speaks another version")
)

// parseGreeting reads "OK CIP 1.0 host". A line that does not begin so is
// trouble that may pass, since a busy server says NO.
func parseGreeting(s string) (g Greeting, err error) {
	f := strings.Fields(s)
	if len(f) < 3 || !strings.EqualFold(f[0], "OK") || !strings.EqualFold(f[1], "CIP") {
		return g, fmt.Errorf("%w: %q", ErrUnavailable, clip(s))
	}
	v, ok := parseVersion(f[2])
	if !ok {
		return g, fmt.Errorf("%w: %q", ErrUnavailable, clip(s))
	}
	g.Version = v
	if len(f) > 3 {
		g.Host = f[3]
	}
	// Section 1.4: another major number is another protocol; a lower minor one
	// than ours may lack commands, a higher one has them all.
	if v.Major != Current.Major || v.Minor < Current.Minor {
		return g, fmt.Errorf("%w: %s instead of %s", ErrVersion, v, Current)
	}
	return g, nil
}

func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
