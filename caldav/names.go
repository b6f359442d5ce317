package caldav

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// Name is an element's or property's name: namespace and local part.
type Name = xml.Name

// Namespaces that have a fixed prefix in everything we write.
const (
	NSDAV            = "DAV:"                                 // d
	NSCalDAV         = "urn:ietf:params:xml:ns:caldav"        // c
	NSCalendarServer = "http://calendarserver.org/ns/"        // cs
	NSApple          = "http://apple.com/ns/ical/"            // ical
	nsXML            = "http://www.w3.org/XML/1998/namespace" // xml, always
	nsXMLNS          = "http://www.w3.org/2000/xmlns/"        // nothing else may be called so
)

// D is a name in the namespace of WebDAV.
func D(local string) Name { return Name{Space: NSDAV, Local: local} }

// C is a name in the namespace of CalDAV.
func C(local string) Name { return Name{Space: NSCalDAV, Local: local} }

// CS is a name in the namespace of CalendarServer's extensions.
func CS(local string) Name { return Name{Space: NSCalendarServer, Local: local} }

// Apple is a name in the namespace of Apple's calendar properties.
func Apple(local string) Name { return Name{Space: NSApple, Local: local} }

// Clark is the name as one string, "{DAV:}displayname": how dead properties
// are keyed in a store.
func Clark(n Name) string { return "{" + n.Space + "}" + n.Local }

// ParseClark is the inverse of [Clark].
func ParseClark(s string) (Name, bool) {
	i := strings.LastIndexByte(s, '}') // a namespace may hold one, a local part not
	if !strings.HasPrefix(s, "{") || i < 0 {
		return Name{}, false
	}
	return Name{Space: s[1:i], Local: s[i+1:]}, i+1 < len(s)
}

// prefixes of the namespaces that the root element of an answer declares.
func prefix(space string) string {
	switch space {
	case NSDAV:
		return "d"
	case NSCalDAV:
		return "c"
	case NSCalendarServer:
		return "cs"
	case NSApple:
		return "ical"
	case nsXML:
		return "xml"
	}
	return ""
}

// Error says why a request cannot be taken as it stands.
type Error struct {
	// Condition is the local name of the precondition element that was broken
	// ("valid-filter"), or one of the conditions below for what has no element.
	Condition string
	Sentence  string
	Line      int // of the request body, 1-based; 0 when it is about no line
}

// Conditions of an [Error] that are no precondition of a standard.
const (
	Malformed  = "bad-input"       // not well-formed, or not the elements the method asks for
	Encoding   = "supported-media" // a character encoding we do not read
	BeyondSize = "max-size"        // more octets, elements or levels than allowed
)

func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s (line %d of the request body)", e.Sentence, e.Line)
	}
	return e.Sentence
}

func refuse(condition string, line int, format string, args ...any) *Error {
	return &Error{Condition: condition, Sentence: fmt.Sprintf(format, args...), Line: line}
}
