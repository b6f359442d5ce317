package e2e

import (
	"net"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// nameserver answers questions for TXT records; of other names and types it
// says that there are none.
func nameserver(t testing.TB, records map[string]string) (addr string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, peer, err := conn.ReadFrom(buf)
			if err != nil {
				return // closed
			}
			if reply := answerTXT(buf[:n], records); reply != nil {
				conn.WriteTo(reply, peer)
			}
		}
	}()
	return conn.LocalAddr().String()
}

func answerTXT(query []byte, records map[string]string) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.Authoritative, m.RecursionAvailable, m.Additionals = true, true, true, nil
	text, ok := records[strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))]
	switch {
	case !ok:
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeTXT:
		var parts []string // RFC 1035 3.3: strings of at most 255 octets
		for len(text) > 255 {
			parts, text = append(parts, text[:255]), text[255:]
		}
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60},
			Body:   &dnsmessage.TXTResource{TXT: append(parts, text)},
		}}
	}
	reply, err := m.Pack()
	if err != nil {
		return nil
	}
	return reply
}
