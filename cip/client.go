package cip

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Client is the asking side of a connection. A command is written and its
// answer read to the completion before the next (section 1.4). It is not safe
// for concurrent use, and a connection after an error that is not a *Refusal is
// of no more use. Deadlines are the caller's.
type Client struct {
	Greeting Greeting

	in *lineReader
	rw io.ReadWriter
}

// Refusal is a completion with NO.
type Refusal struct{ Reply Reply }

func (r *Refusal) Error() string {
	if r.Reply.Text == "" {
		return fmt.Sprintf("cip: refused with code %03d", r.Reply.Code)
	}
	return fmt.Sprintf("cip: refused with code %03d: %s", r.Reply.Code, r.Reply.Text)
}

// ErrProtocol is wrapped by errors about answers that are none.
var ErrProtocol = errors.New("cip: the server's answer is not understood")

// Bounds of an answer.
const (
	maxInfos     = 20_000
	maxReplyLine = 8192
	maxReplyData = 8 << 20
)

// NewClient reads the greeting. It has written nothing when the version is not
// ours (ErrVersion) or the server gives no service (ErrUnavailable).
func NewClient(rw io.ReadWriter) (*Client, error) {
	c := &Client{in: newLineReader(rw), rw: rw}
	line, err := c.line()
	if err != nil {
		return nil, fmt.Errorf("cip: greeting: %w", err)
	}
	if c.Greeting, err = parseGreeting(line); err != nil {
		return nil, err
	}
	return c, nil
}

// Login authenticates; a *Refusal when the server does not accept it.
func (c *Client) Login(identity, password string) error {
	if strings.ContainsAny(identity, " \r\n") || strings.ContainsAny(password, "\r\n") || identity == "" {
		return fmt.Errorf("cip: identity or password cannot be written on a line")
	}
	return c.simple("AUTHENTICATE LOGIN " + identity + " " + password)
}

// StartTLS asks for TLS; when it returns nil the caller makes the handshake and
// gives the encrypted side to [Client.Upgrade].
func (c *Client) StartTLS() error {
	if err := c.simple("AUTHENTICATE " + MechanismTLS); err != nil {
		return err
	}
	if c.in.r.Buffered() > 0 { // said before the handshake: by anybody
		return fmt.Errorf("%w: data before the TLS handshake", ErrProtocol)
	}
	return nil
}

// Upgrade goes on over another stream.
func (c *Client) Upgrade(rw io.ReadWriter) { c.rw, c.in = rw, newLineReader(rw) }

func (c *Client) simple(line string) error {
	r, err := c.Command(line, nil)
	if err == nil && !r.OK {
		err = &Refusal{r}
	}
	return err
}

// SendEvent, Answer and FreeBusy are the draft's commands; data are their bodies.
func (c *Client) SendEvent(data []byte) (Reply, error) { return c.Command("SENDEVENT", data) }

// Answer sends an RSVP.
func (c *Client) Answer(data []byte) (Reply, error) { return c.Command("RSVP", data) }

// FreeBusy asks when people are busy; see [ParseBusy] for the reply's data.
func (c *Client) FreeBusy(data []byte) (Reply, error) { return c.Command("FREEBUSY", data) }

// Command sends a command, with data when they are not nil, and reads the answer.
func (c *Client) Command(line string, data []byte) (Reply, error) {
	b := append(make([]byte, 0, len(line)+len(data)+16), line...)
	if data != nil {
		b = appendData(append(b, " +\r\n"...), data)
	} else {
		b = append(b, "\r\n"...)
	}
	if _, err := c.rw.Write(b); err != nil { // in one piece
		return Reply{}, err
	}
	return c.answer()
}

// answer reads data, information and completion.
func (c *Client) answer() (Reply, error) {
	var r Reply
	line, err := c.line()
	for {
		if err != nil {
			return r, err
		}
		text := strings.TrimSpace(line)
		switch {
		case text == "+":
			// Data follow; unless it was a go-ahead, as in the draft's example of
			// FREEBUSY, which something follows that is no data.
			if line, err = c.line(); err != nil {
				return r, err
			}
			if next := strings.TrimSpace(line); next == "+" || strings.HasPrefix(next, "*") {
				continue
			} else if _, done := parseCompletion(next); done {
				continue
			}
			if r.Data, err = c.data(line); err != nil {
				return r, err
			}
		case strings.HasPrefix(text, "*"):
			if len(r.Infos) == maxInfos {
				return r, fmt.Errorf("%w: more than %d information lines", ErrProtocol, maxInfos)
			}
			if i := parseInfo(text[1:]); i.Code != "" {
				r.Infos = append(r.Infos, i)
			}
		default:
			done, ok := parseCompletion(text)
			if !ok {
				return r, fmt.Errorf("%w: %q", ErrProtocol, clip(text))
			}
			r.OK, r.Code, r.Text = done.OK, done.Code, done.Text
			return r, nil
		}
		line, err = c.line()
	}
}

// data reads to the dot; first was read already.
func (c *Client) data(first string) ([]byte, error) {
	data := []byte{}
	line := []byte(first)
	drain := maxReplyData
	for {
		if len(line) == 1 && line[0] == '.' {
			return data, nil
		}
		if len(line) > 1 && allDots(line) {
			line = line[1:]
		}
		data = append(append(data, line...), '\r', '\n')
		next, _, long, err := c.in.line(nil, maxReplyLine, &drain)
		if err != nil {
			return nil, err
		}
		if long {
			return nil, fmt.Errorf("%w: a line of data longer than %d octets", ErrProtocol, maxReplyLine)
		}
		line = next
	}
}

func (c *Client) line() (string, error) {
	drain := 1 << 20
	line, _, long, err := c.in.line(nil, maxReplyLine, &drain)
	switch {
	case errors.Is(err, io.EOF):
		return "", io.ErrUnexpectedEOF
	case err != nil:
		return "", err
	case long:
		return "", fmt.Errorf("%w: a line longer than %d octets", ErrProtocol, maxReplyLine)
	}
	return string(line), nil
}
