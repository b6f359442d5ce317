package conformance

// Level of a requirement.
const (
	M = "M" // the standard demands it, or common clients break without it
	S = "S" // it should be
	O = "O" // an extension, or a choice
)

// What is answered.
const (
	yes  = "yes"
	part = "part"
	no   = "no"
)

// row is one requirement.
type row struct {
	id, level string
	what      string // the requirement
	source    string // RFC and section, or whose extension it is
	answer    string // yes, part, no
	why       string // what is chosen, what is missing, or why not
	proof     proof
}

// proof is what shows that the answer is true: requests in their order, or
// tests elsewhere ("internal/store TestName").
type proof struct {
	steps []step
	tests []string
}

func try(steps ...step) proof { return proof{steps: steps} }

func tested(tests ...string) proof { return proof{tests: tests} }

// and names tests beside the requests.
func (p proof) and(tests ...string) proof {
	p.tests = append(p.tests, tests...)
	return p
}

// section is one letter of the table.
type section struct {
	title string
	rows  []row
}

// sections in the order of the page.
var sections = []section{
	{"HTTP and WebDAV", webdavRows},
	{"Live properties", propertyRows},
	{"Principals and access", principalRows},
	{"Discovery", discoveryRows},
	{"Calendars", calendarRows},
	{"Calendar objects", objectRows},
	{"Reports", reportRows},
	{"Synchronisation", syncRows},
	{"Scheduling", schedulingRows},
	{"Free/busy and availability", freeBusyRows},
	{"Attachments", attachmentRows},
	{"Time zones", zoneRows},
	{"Extensions of Apple and CalendarServer", extensionRows},
	{"Sharing and notifications", sharingRows},
	{"Push", pushRows},
	{"Robustness and operation", operationRows},
	{"Clients", clientRows},
}
