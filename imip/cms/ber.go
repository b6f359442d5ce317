package cms

import "fmt"

// toDER gives the same values in the definite-length, minimal form that the
// readers of this package and of crypto/x509 expect: indefinite lengths are
// counted (X.690 8.1.3.6), lengths shortened (10.1), and OCTET STRINGs in
// pieces joined (10.2). Octets behind the first element are dropped: mail
// gateways pad.
func toDER(in []byte) ([]byte, error) {
	out, _, err := transcode(make([]byte, 0, len(in)), in, 0)
	return out, err
}

const (
	constructed    = 0x20
	tagOctetString = 0x04
)

// tlv takes one element's identifier and length apart. length is -1 for the
// indefinite form.
func tlv(in []byte) (identifier, rest []byte, length int, err error) {
	if len(in) < 2 {
		return nil, nil, 0, syntax("the data ends inside an element")
	}
	n := 1
	if in[0]&0x1f == 0x1f { // high tag number: base 128, the last octet below 0x80
		for n < len(in) && in[n]&0x80 != 0 {
			n++
		}
		if n++; n > 5 || n >= len(in) {
			return nil, nil, 0, syntax("a tag number is too large")
		}
	}
	identifier, rest = in[:n], in[n+1:]
	switch l := in[n]; {
	case l < 0x80:
		length = int(l)
	case l == 0x80:
		if identifier[0]&constructed == 0 {
			return nil, nil, 0, syntax("a primitive element of indefinite length")
		}
		return identifier, rest, -1, nil
	default:
		octets := int(l & 0x7f)
		if octets > len(rest) {
			return nil, nil, 0, syntax("the data ends inside a length")
		}
		for _, b := range rest[:octets] {
			if length > 1<<30 {
				return nil, nil, 0, syntax("a length beyond the data")
			}
			length = length<<8 | int(b)
		}
		rest = rest[octets:]
	}
	if length > len(rest) {
		return nil, nil, 0, syntax("an element is longer than the data")
	}
	return identifier, rest, length, nil
}

// transcode appends the first element of in to out.
func transcode(out, in []byte, depth int) (result, rest []byte, err error) {
	if depth > maxDepth {
		return nil, nil, fmt.Errorf("cms: elements nested more than %d deep: %w", maxDepth, ErrLimit)
	}
	identifier, in, length, err := tlv(in)
	if err != nil {
		return nil, nil, err
	}
	if identifier[0]&constructed == 0 {
		out = appendLength(append(out, identifier...), length)
		return append(out, in[:length]...), in[length:], nil
	}
	pieces := identifier[0] == tagOctetString|constructed
	if pieces {
		out = append(out, tagOctetString)
	} else {
		out = append(out, identifier...)
	}
	mark := len(out)
	rest, err = contents(in, length, func(child []byte) ([]byte, error) {
		var rest []byte
		if pieces {
			out, rest, err = appendPieces(out, child, depth+1)
		} else {
			out, rest, err = transcode(out, child, depth+1)
		}
		return rest, err
	})
	if err != nil {
		return nil, nil, err
	}
	return insertLength(out, mark), rest, nil
}

// contents calls visit for each child of a constructed element and gives what
// follows the element. visit returns what follows the child.
func contents(in []byte, length int, visit func([]byte) ([]byte, error)) (rest []byte, err error) {
	if length >= 0 {
		body, rest := in[:length], in[length:]
		for len(body) > 0 {
			if body, err = visit(body); err != nil {
				return nil, err
			}
		}
		return rest, nil
	}
	for {
		if len(in) < 2 {
			return nil, syntax("an indefinite length without its end")
		}
		if in[0] == 0 && in[1] == 0 {
			return in[2:], nil
		}
		if in, err = visit(in); err != nil {
			return nil, err
		}
	}
}

// appendPieces appends the octets of an OCTET STRING, in one piece or in many.
func appendPieces(out, in []byte, depth int) (result, rest []byte, err error) {
	if depth > maxDepth {
		return nil, nil, fmt.Errorf("cms: elements nested more than %d deep: %w", maxDepth, ErrLimit)
	}
	identifier, in, length, err := tlv(in)
	if err != nil {
		return nil, nil, err
	}
	switch identifier[0] {
	case tagOctetString:
		return append(out, in[:length]...), in[length:], nil
	case tagOctetString | constructed:
		rest, err = contents(in, length, func(child []byte) (rest []byte, err error) {
			out, rest, err = appendPieces(out, child, depth+1)
			return rest, err
		})
		return out, rest, err
	}
	return nil, nil, syntax("an OCTET STRING made of something else")
}

func appendLength(out []byte, n int) []byte {
	if n < 0x80 {
		return append(out, byte(n))
	}
	octets := 1
	for n>>(8*octets) != 0 {
		octets++
	}
	out = append(out, 0x80|byte(octets))
	for octets--; octets >= 0; octets-- {
		out = append(out, byte(n>>(8*octets)))
	}
	return out
}

// insertLength puts the length of out[mark:] before it.
func insertLength(out []byte, mark int) []byte {
	n := len(out) - mark
	var buf [9]byte
	head := appendLength(buf[:0], n)
	out = append(out, head...) // room
	copy(out[mark+len(head):], out[mark:mark+n])
	copy(out[mark:], head)
	return out
}
