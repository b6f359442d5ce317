package cip

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
)

// Session is a server's side of one connection: who is there and what the
// calendars say. [Serve] calls its methods one after the other.
type Session interface {
	// Wait is called before the other side is waited for: for a command, or,
	// with data true, for a line of data. Deadlines are set here.
	Wait(data bool)
	// Login tells whether a password is the identity's; it may take its time
	// over a wrong one. A wrong one makes the session anonymous.
	Login(ctx context.Context, identity, password string) bool
	// StartTLS says whether the connection can be encrypted; then the function,
	// called after the completion was written, does it and gives the encrypted
	// side. The session is anonymous, or who the certificate says, afterwards.
	StartTLS(ctx context.Context) (upgrade func() (io.ReadWriter, error), ok bool)
	// Reading is what bodies are read with.
	Reading() Reading
	SendEvent(ctx context.Context, e *Event) Reply
	Answer(ctx context.Context, a *Answer) Reply
	// FreeBusy answers for the attendees it knows; the reply's Data is filled
	// in by Serve.
	FreeBusy(ctx context.Context, q *Query) (Reply, []Busy)
}

// MechanismTLS is the AUTHENTICATE code that begins TLS on the connection (an
// extension: the draft names no mechanism but LOGIN).
const MechanismTLS = "X-STARTTLS"

// maxFailures is how many wrong passwords a connection may try.
const maxFailures = 3

// Serve greets and answers commands until the other side ends the connection
// (nil), ctx ends, or something is wrong with the connection.
func Serve(ctx context.Context, rw io.ReadWriter, host string, s Session, limits Limits) error {
	v := &serving{ctx: ctx, s: s, rw: rw, in: newLineReader(rw), limits: limits.orDefault()}
	if err := v.write([]byte("OK CIP " + Current.String() + " " + wireText(host) + "\r\n")); err != nil {
		return err
	}
	for ctx.Err() == nil {
		more, err := v.command()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || !more {
			return err
		}
	}
	return ctx.Err()
}

// Unavailable is the greeting of a server that is busy or does not want to talk.
func Unavailable(w io.Writer) error {
	_, err := io.WriteString(w, "NO 000 Service not available.\r\n")
	return err
}

type serving struct {
	ctx    context.Context
	s      Session
	rw     io.ReadWriter
	in     *lineReader
	limits Limits

	failures  int
	line, out []byte
}

func (v *serving) write(b []byte) error {
	_, err := v.rw.Write(b)
	return err
}

func (v *serving) reply(r Reply) error {
	v.out = r.append(v.out[:0])
	err := v.write(v.out)
	if cap(v.out) > 1<<16 {
		v.out = nil
	}
	return err
}

// handlers of the commands with data.
var handlers = map[string]func(*serving, []byte) Reply{
	"SENDEVENT": (*serving).sendEvent,
	"RSVP":      (*serving).rsvp,
	"FREEBUSY":  (*serving).freeBusy,
}

// command reads and answers one; more is false when the connection is to be closed.
func (v *serving) command() (more bool, err error) {
	if v.in.r.Buffered() == 0 {
		v.s.Wait(false)
	}
	drain := v.limits.Drain
	line, last, long, err := v.in.line(v.line, v.limits.Command, &drain)
	v.line = line
	if errors.Is(err, ErrTooLong) {
		return false, errors.Join(err, v.reply(Invalid("The command line does not end.")))
	}
	if err != nil {
		return false, err
	}
	text := strings.TrimSpace(latin1(line))
	verb, rest := text, ""
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		verb, rest = text[:i], strings.TrimSpace(text[i:])
	}
	verb = strings.ToUpper(verb)
	if verb == "AUTHENTICATE" && !long {
		return v.authenticate(rest)
	}
	if last != '+' && !strings.HasSuffix(text, "+") {
		switch {
		case long:
			return true, v.reply(Invalid("The command line is longer than %d octets.", v.limits.Command))
		case handlers[verb] != nil:
			return true, v.reply(Invalid("%s is followed by + and data.", verb))
		}
		return true, v.reply(Invalid("The command is not known."))
	}
	data, ended, err := v.in.data(v.limits, func() { v.s.Wait(true) })
	switch {
	case errors.Is(err, ErrTooLong) && !ended:
		return false, errors.Join(err, v.reply(Invalid("The data do not end.")))
	case errors.Is(err, ErrTooLong):
		return true, v.reply(Invalid("The data are longer than %d octets, or a line is longer than %d.", v.limits.Data, v.limits.Line))
	case err != nil:
		return false, err
	}
	name := strings.TrimSuffix(verb, "+")
	handle := handlers[name]
	switch {
	case long:
		return true, v.reply(Invalid("The command line is longer than %d octets.", v.limits.Command))
	case handle == nil:
		return true, v.reply(Invalid("The command is not known."))
	case verb == name && rest != "+", verb != name && rest != "":
		return true, v.reply(Invalid("%s takes nothing before the +.", name))
	}
	return true, v.reply(handle(v, data))
}

// authenticate reads "LOGIN identity password", whose password is the rest of
// the line, and the mechanism of TLS.
func (v *serving) authenticate(rest string) (more bool, err error) {
	mechanism, rest, _ := strings.Cut(rest, " ")
	switch strings.ToUpper(mechanism) {
	case "LOGIN":
		identity, password, ok := strings.Cut(strings.TrimLeft(rest, " "), " ")
		if !ok || identity == "" {
			return true, v.reply(Invalid("AUTHENTICATE LOGIN is followed by an identity and a password."))
		}
		if v.s.Login(v.ctx, identity, password) {
			return true, v.reply(Done("Login complete."))
		}
		// Section 2.1: nothing is said about what was wrong.
		v.failures++
		return v.failures < maxFailures, v.reply(reply(false, CodeNone, "Access denied."))
	case MechanismTLS:
		upgrade, ok := v.s.StartTLS(v.ctx)
		if !ok {
			return true, v.reply(reply(false, CodeNone, "TLS is not available."))
		}
		if v.in.r.Buffered() > 0 {
			// What was sent before the handshake could have been put there by
			// anybody on the way.
			return false, v.reply(Invalid("Nothing may follow before TLS has begun."))
		}
		if err := v.reply(Done("Begin TLS.")); err != nil {
			return false, err
		}
		rw, err := upgrade()
		if err != nil {
			return false, err
		}
		v.rw, v.in = rw, newLineReader(rw)
		return true, nil
	}
	return true, v.reply(Invalid("The mechanism is not known; LOGIN and %s are.", MechanismTLS))
}

func (v *serving) sendEvent(data []byte) Reply {
	e, err := ParseEvent(data, v.s.Reading())
	if err != nil {
		return refuse(err)
	}
	return v.s.SendEvent(v.ctx, e)
}

func (v *serving) rsvp(data []byte) Reply {
	a, err := ParseAnswer(data, v.s.Reading())
	if err != nil {
		return refuse(err)
	}
	return v.s.Answer(v.ctx, a)
}

func (v *serving) freeBusy(data []byte) Reply {
	r := v.s.Reading()
	q, err := ParseQuery(data, r)
	if err != nil {
		return refuse(err)
	}
	answer, list := v.s.FreeBusy(v.ctx, q)
	if len(list) > 0 {
		answer.Data = q.EncodeBusy(list, r.Now)
	}
	return answer
}

func refuse(err error) Reply {
	text := strings.TrimPrefix(err.Error(), ErrBody.Error()+": ")
	return Invalid("Bad data: %s.", string(bytes.ToValidUTF8([]byte(clip(text)), []byte("?"))))
}
