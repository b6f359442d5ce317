package imip

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Letter is a mail in words: something that a person should read, and no
// scheduling message.
type Letter struct {
	From, ReplyTo, To Mailbox // ReplyTo zero = From
	Subject, Text     string
	Original          []byte // a mail that goes along as it is (message/rfc822); nil = none
	Now               time.Time
	Host              string // the right-hand side of the Message-ID
	// Secure signs or encrypts the letter as [Options.Secure] does; nil leaves it.
	Secure func(entity []byte) ([]byte, error)
}

// Compose makes the mail: the same octets for the same letter. It says that a
// machine wrote it (RFC 3834 5), so that no machine answers.
func (l Letter) Compose() (*Mail, error) {
	if !deliverable(l.To.Address) || !deliverable(l.From.Address) {
		return nil, fmt.Errorf("imip: a letter from %q to %q cannot be addressed", l.From.Address, l.To.Address)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%s\x00%s\x00%d\x00", l.From.Address, l.To.Address, l.Subject, l.Text, l.Now.Unix())
	h.Write(l.Original)
	host := asciiDomain(l.Host)
	if host == "" || !isASCII(host) || strings.ContainsAny(host, " <>@\r\n") {
		host = "convene.invalid"
	}
	out := &Mail{MessageID: hex.EncodeToString(h.Sum(nil)[:16]) + "@" + host, Subject: oneLine(l.Subject)}
	text := strings.ReplaceAll(strings.ReplaceAll(l.Text, "\r\n", "\n"), "\n", "\r\n")
	body := leaf(`text/plain; charset="UTF-8"`, "", []byte(text), false)
	if l.Original != nil && sevenBit(l.Original) { // RFC 2046 5.2.1: message/rfc822 is never encoded
		body = joined("mixed", out.MessageID, "l", body, leaf("message/rfc822", "inline", l.Original, false))
	}
	var b strings.Builder
	for _, f := range []struct {
		name string
		box  Mailbox
	}{{"From", l.From}, {"Reply-To", l.ReplyTo}, {"To", l.To}} {
		if f.box.Address == "" {
			continue
		}
		address := asciiDomain(f.box.Address)
		out.UTF8 = out.UTF8 || !isASCII(address)
		writeField(&b, f.name, mailboxText(Mailbox{f.box.Name, address}))
	}
	writeField(&b, "Subject", encodeText(out.Subject))
	writeField(&b, "Date", l.Now.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	writeField(&b, "Message-ID", "<"+out.MessageID+">")
	writeField(&b, "Auto-Submitted", "auto-generated")
	writeField(&b, "X-Auto-Response-Suppress", "All")
	writeField(&b, "MIME-Version", "1.0")
	if l.Secure == nil {
		out.Raw = body.entity(b.String())
		return out, nil
	}
	entity, err := l.Secure(body.entity(""))
	if err != nil {
		return nil, fmt.Errorf("imip: secure the letter to %s: %w", l.To.Address, err)
	}
	out.Raw = append([]byte(b.String()), entity...)
	return out, nil
}
