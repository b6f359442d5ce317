package imip

import (
	"encoding/base64"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// Bounds of the OpenPGP keys that one mail may bring: a person has one or two,
// and each has to be read before it is known whether it fits.
const (
	maxSenderKeys   = 4
	maxSenderKeyLen = 64 << 10
)

// senderKey notes a part that is a key (RFC 3156 7).
func (w *walker) senderKey(e *entity) {
	if data := e.decoded(); len(w.parsed.keys) < maxSenderKeys && len(data) <= maxSenderKeyLen {
		w.parsed.keys = append(w.parsed.keys, data)
	}
}

// SenderKeys are the OpenPGP keys that the mail brings along, as parts of their
// own or in the Autocrypt field of its author, binary or armored. They are what
// the sender says and prove nothing.
func (p *Parsed) SenderKeys() [][]byte {
	list := p.keys
	// Autocrypt Level 1, 2.1: of several fields for one address none counts.
	var found [][]byte
	for _, v := range p.Header("Autocrypt") {
		address, data := "", ""
		for _, attribute := range strings.Split(v, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(attribute), "=")
			switch name {
			case "addr":
				address = value
			case "keydata":
				data = strings.Join(strings.Fields(value), "")
			}
		}
		if p.From == "" || address == "" || !ical.Mailto(address).Equal(p.From) || len(data) > maxSenderKeyLen*4/3 {
			continue
		}
		if key, err := base64.StdEncoding.DecodeString(data); err == nil {
			found = append(found, key)
		}
	}
	if len(found) == 1 {
		list = append(list[:len(list):len(list)], found[0])
	}
	return list
}
