// Package xcal reads and writes xCal, iCalendar as XML (RFC 6321): the model
// of package ical in another syntax.
//
// Nothing is lost on the way from iCalendar and back but what says nothing:
// the case of names, a VALUE that is the default anyway, controls that XML
// cannot hold. A value that is not of its type is an "unknown" element with
// its text as it stands. A name that is no XML name is written with _xHH_ for
// the octets in the way. Elements of other namespaces become the XML property
// (RFC 6321 4.2), and it becomes them again.
//
// Of XML there is what calendars need: elements, attributes, namespaces, text,
// CDATA, comments, the five entities and character references. A document type
// declaration is refused. Besides RFC 6321, its drafts of 2002 are read, which
// conference programs still publish: properties with their text directly in
// the component.
package xcal
