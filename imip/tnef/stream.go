package tnef

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding/htmlindex"
)

// ErrFormat is matched by the errors for what is no TNEF stream, or a broken one.
var ErrFormat = errors.New("tnef: not a stream that can be read")

// signature begins every stream (MS-OXTNEF 2.1.3.1).
const signature = 0x223e9f78

// Bounds of a stream. A meeting has some 60 attributes and 200 properties, and
// 20 properties for each recipient.
const (
	maxAttributes = 5_000
	maxProperties = 20_000 // in one list
	maxRecipients = 2_000
	maxText       = 256 << 10
)

// Attributes of a stream: what MS-OXTNEF 2.1.3.3 calls id and type together.
const (
	attMessageClass = 0x00078008
	attOemCodepage  = 0x00069007
	attSubject      = 0x00018004
	attBody         = 0x0002800c
	attOwner        = 0x00060000
	attSentFor      = 0x00060001
	attMsgProps     = 0x00069003
	attRecipTable   = 0x00069004
	attDateSent     = 0x00038005
)

// levelMessage marks the attributes of the message; those of attachments follow.
const levelMessage = 1

// attributes reads the attributes of the message, the first of each kind.
func attributes(data []byte) (map[uint32][]byte, error) {
	r := reader{data: data}
	if r.u32() != signature {
		return nil, fmt.Errorf("%w: it does not begin like one", ErrFormat)
	}
	r.u16() // key, of no meaning here
	out := map[uint32][]byte{}
	for n := 0; len(r.data) > 0 && !r.short; n++ {
		if n == maxAttributes {
			return nil, fmt.Errorf("%w: more than %d attributes", ErrFormat, maxAttributes)
		}
		level, id := r.u8(), r.u32()
		value := r.bytes(int64(r.u32()))
		sum := r.u16()
		if r.short {
			break // cut off: what came before counts
		}
		if level != levelMessage {
			continue
		}
		if checksum(value) != sum {
			return nil, fmt.Errorf("%w: the attribute %08x was damaged on its way", ErrFormat, id)
		}
		if _, twice := out[id]; !twice {
			out[id] = value
		}
	}
	return out, nil
}

// checksum is MS-OXTNEF 2.1.3.2: the sum of the octets.
func checksum(b []byte) (sum uint16) {
	for _, c := range b {
		sum += uint16(c)
	}
	return sum
}

// reader takes numbers in little-endian order. Behind the end everything is
// zero and short is set.
type reader struct {
	data  []byte
	short bool
}

func (r *reader) bytes(n int64) []byte {
	if n < 0 || n > int64(len(r.data)) {
		r.data, r.short = nil, true
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

func (r *reader) u8() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if b := r.bytes(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// Types of properties (MS-OXCDATA 2.11.1), as far as they are told apart here.
const (
	ptShort    = 0x0002
	ptLong     = 0x0003
	ptFloat    = 0x0004
	ptDouble   = 0x0005
	ptCurrency = 0x0006
	ptAppTime  = 0x0007
	ptError    = 0x000a
	ptBoolean  = 0x000b
	ptObject   = 0x000d
	ptLongLong = 0x0014
	ptString8  = 0x001e
	ptUnicode  = 0x001f
	ptTime     = 0x0040
	ptGUID     = 0x0048
	ptBinary   = 0x0102
	ptMultiple = 0x1000
)

// width of the values of a type in a stream, where they are padded to four
// octets; 0 for those that state their length.
var width = map[uint16]int64{ptShort: 4, ptLong: 4, ptFloat: 4, ptDouble: 8, ptCurrency: 8, ptAppTime: 8, ptError: 4, ptBoolean: 4, ptLongLong: 8, ptTime: 8, ptGUID: 16}

// tag names a property: by number, or by number within a set.
type tag struct {
	set string // GUID as it stands in the stream; "" for numbers below 0x8000
	id  uint32
}

// value is a property's, as it stands.
type value struct {
	kind uint16
	data []byte
}

// properties reads one list (MS-OXTNEF 2.1.3.4).
func properties(r *reader) (map[tag]value, error) {
	count := r.u32()
	if count > maxProperties {
		return nil, fmt.Errorf("%w: more than %d properties", ErrFormat, maxProperties)
	}
	out := map[tag]value{}
	for range count {
		kind, id := r.u16(), r.u16()
		t := tag{id: uint32(id)}
		if id >= 0x8000 {
			t.set = string(r.bytes(16))
			if named := r.u32(); named == 0 {
				t.id = r.u32()
			} else { // by a word: nothing of a meeting is
				n := int64(r.u32())
				r.bytes(padded(n))
				t.set = ""
			}
		}
		v, ok := readValue(r, kind)
		if !ok || r.short {
			return nil, fmt.Errorf("%w: the property %04x is cut off or of an unknown type (%04x)", ErrFormat, id, kind)
		}
		if id >= 0x8000 && t.set == "" {
			continue
		}
		if _, twice := out[t]; !twice {
			out[t] = v
		}
	}
	return out, nil
}

// readValue reads one value, or passes over several.
func readValue(r *reader, kind uint16) (value, bool) {
	base := kind &^ ptMultiple
	w, fixed := width[base]
	switch {
	case kind&ptMultiple == 0 && fixed:
		return value{kind, r.bytes(w)}, true
	case fixed:
		r.bytes(int64(r.u32()) * w)
		return value{kind: kind}, true
	case base == ptString8, base == ptUnicode, base == ptBinary, base == ptObject:
		v := value{kind: kind}
		count := r.u32()
		if count > maxProperties {
			return v, false
		}
		for i := range count {
			n := int64(r.u32())
			b := r.bytes(padded(n))
			if r.short {
				return v, false
			}
			if i == 0 {
				v.data = b[:n]
			}
		}
		return v, true
	}
	return value{}, false
}

func padded(n int64) int64 { return (n + 3) &^ 3 }

// codePages by Windows number; the names are WHATWG's.
var codePages = map[uint32]string{
	874: "windows-874", 932: "shift_jis", 936: "gbk", 949: "euc-kr", 950: "big5", 1250: "windows-1250", 1251: "windows-1251", 1252: "windows-1252",
	1253: "windows-1253", 1254: "windows-1254", 1255: "windows-1255", 1256: "windows-1256", 1257: "windows-1257", 1258: "windows-1258",
	20866: "koi8-r", 28592: "iso-8859-2", 28595: "iso-8859-5", 28597: "iso-8859-7", 28605: "iso-8859-15", 50220: "iso-2022-jp", 51932: "euc-jp", 54936: "gb18030", 65001: "utf-8",
}

// text is a property's as UTF-8, without the NUL at its end.
func (v value) text(codePage uint32) string {
	if len(v.data) > maxText {
		v.data = v.data[:maxText&^1]
	}
	switch v.kind {
	case ptUnicode:
		units := make([]uint16, 0, len(v.data)/2)
		for i := 0; i+1 < len(v.data); i += 2 {
			u := binary.LittleEndian.Uint16(v.data[i:])
			if u == 0 {
				break
			}
			units = append(units, u)
		}
		return string(utf16.Decode(units))
	case ptString8:
		return narrow(v.data, codePage)
	}
	return ""
}

// narrow reads text of a code page.
func narrow(data []byte, codePage uint32) string {
	if i := strings.IndexByte(string(data), 0); i >= 0 {
		data = data[:i]
	}
	name, ok := codePages[codePage]
	if !ok {
		name = "windows-1252"
	}
	if enc, err := htmlindex.Get(name); err == nil {
		if out, err := enc.NewDecoder().Bytes(data); err == nil {
			return strings.ToValidUTF8(string(out), "�")
		}
	}
	return strings.ToValidUTF8(string(data), "�")
}
