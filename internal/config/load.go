package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// FileName is the configuration inside a data folder, as `convene init` writes it.
const FileName = "convene.toml"

// Key is one setting: its dotted name, its sentence, and where it is kept.
type Key struct {
	Name   string // "mail.lmtp-listen"
	Help   string
	Flag   bool
	Secret bool
	field  []int
}

// FlagName is the name of the flag without its dashes: "mail-lmtp-listen".
func (k Key) FlagName() string { return strings.ReplaceAll(k.Name, ".", "-") }

// EnvName is the name of the environment variable: "CONVENE_MAIL_LMTP_LISTEN".
func (k Key) EnvName() string {
	return "CONVENE_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(k.Name))
}

// Keys lists every setting in the order of [Config].
func Keys() []Key { return keysOf(reflect.TypeFor[Config](), "", nil) }

func keysOf(t reflect.Type, prefix string, index []int) []Key {
	var keys []Key
	for i := range t.NumField() {
		f := t.Field(i)
		name := prefix + f.Tag.Get("toml")
		at := append(slices.Clone(index), i)
		if f.Type.Kind() == reflect.Struct {
			keys = append(keys, keysOf(f.Type, name+".", at)...)
			continue
		}
		keys = append(keys, Key{Name: name, Help: f.Tag.Get("help"), Flag: f.Tag.Get("flag") != "", Secret: f.Tag.Get("secret") != "", field: at})
	}
	return keys
}

// Sources says where [Load] looks.
type Sources struct {
	File  string                           // --config; "" = convene.toml in the data folder, if there is one
	Flags map[string]string                // by key name ("http.listen"), only those given
	Env   func(name string) (string, bool) // os.LookupEnv
}

// Load reads the settings in rising order of weight (defaults, file,
// environment, flags), resolves secrets and validates the whole.
func Load(src Sources) (Config, error) {
	c := Default()
	if src.Env == nil {
		src.Env = os.LookupEnv
	}
	file, optional := src.File, false
	if file == "" {
		data := c.Data
		if v, ok := src.Env("CONVENE_DATA"); ok {
			data = v
		}
		if v, ok := src.Flags["data"]; ok {
			data = v
		}
		file, optional = filepath.Join(data, FileName), true
	}
	text, err := os.ReadFile(file)
	switch {
	case err == nil:
		if err := c.parse(text); err != nil {
			return c, fmt.Errorf("%s: %w", file, err)
		}
		// A folder named in its own file is where the file lies unless it says otherwise.
		if optional {
			c.Data = filepath.Dir(file)
		}
	case !optional || !errors.Is(err, os.ErrNotExist):
		return c, fmt.Errorf("read the configuration: %w", err)
	}
	for _, k := range Keys() {
		if v, ok := src.Env(k.EnvName()); ok {
			if err := c.set(k, v); err != nil {
				return c, fmt.Errorf("environment %s: %w", k.EnvName(), err)
			}
		}
		if v, ok := src.Flags[k.Name]; ok {
			if err := c.set(k, v); err != nil {
				return c, fmt.Errorf("--%s: %w", k.FlagName(), err)
			}
		}
		if k.Secret {
			if err := c.resolve(k, src.Env); err != nil {
				return c, err
			}
		}
	}
	for i := range c.CIP.Peers {
		p := &c.CIP.Peers[i]
		if p.Password, err = secret("cip.peer "+p.ServerID+" password", p.Password, src.Env); err != nil {
			return c, err
		}
	}
	return c, c.Validate()
}

// parse reads TOML over what c holds. An unknown key is an error that names
// the nearest known one.
func (c *Config) parse(text []byte) error {
	// Durations are text in the file, which the TOML library does not read into
	// time.Duration: they are taken out first and set by key.
	var tree map[string]any
	if err := toml.Unmarshal(text, &tree); err != nil {
		var at *toml.DecodeError
		if errors.As(err, &at) {
			row, col := at.Position()
			return fmt.Errorf("line %d, column %d: %s", row, col, strings.TrimPrefix(at.Error(), "toml: "))
		}
		return err
	}
	known := Keys()
	given := flatten(tree, "")
	names := make([]string, 0, len(given))
	for name := range given {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		i := slices.IndexFunc(known, func(k Key) bool { return k.Name == name })
		if i < 0 {
			return fmt.Errorf("line %d: unknown key %s; did you mean %s?", lineOf(text, name), name, nearest(name, known))
		}
		if err := c.setAny(known[i], given[name]); err != nil {
			return fmt.Errorf("line %d: %s: %w", lineOf(text, name), name, err)
		}
	}
	return nil
}

func flatten(tree map[string]any, prefix string) map[string]any {
	out := map[string]any{}
	for name, v := range tree {
		if sub, ok := v.(map[string]any); ok {
			for k, v := range flatten(sub, prefix+name+".") {
				out[k] = v
			}
			continue
		}
		out[prefix+name] = v
	}
	return out
}

// lineOf finds the line that sets the key, for the message only.
func lineOf(text []byte, name string) int {
	section, key := "", name
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		section, key = name[:i], name[i+1:]
	}
	current := ""
	for i, line := range bytes.Split(text, []byte("\n")) {
		s := strings.TrimSpace(string(line))
		if strings.HasPrefix(s, "[") {
			current = strings.Trim(s, "[] ")
			if current == name { // [[cip.peer]]: the list begins here
				return i + 1
			}
		}
		left, _, found := strings.Cut(s, "=")
		left = strings.Trim(strings.TrimSpace(left), `"'`)
		if found && (current == section && left == key || current == "" && left == name) {
			return i + 1
		}
	}
	return 1
}

func nearest(name string, known []Key) string {
	best, least := "", 1<<30
	for _, k := range known {
		if d := distance(name, k.Name); d < least {
			best, least = k.Name, d
		}
	}
	return best
}

// nearestTag is nearest among the keys of one table.
func nearestTag(name string, t reflect.Type) string {
	var known []Key
	for i := range t.NumField() {
		known = append(known, Key{Name: t.Field(i).Tag.Get("toml")})
	}
	return nearest(name, known)
}

// distance is Levenshtein's: the fewest single-letter edits between two names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j]+1, row[j+1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// set reads the text of an environment variable or a flag into the field of k.
// A list is separated by commas.
func (c *Config) set(k Key, text string) error {
	f := reflect.ValueOf(c).Elem().FieldByIndex(k.field)
	switch f.Interface().(type) {
	case string:
		f.SetString(text)
	case []string:
		var list []string
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		f.Set(reflect.ValueOf(list))
	case []CIPPeer:
		return errors.New("is a list of tables; write it in the configuration file")
	case bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is not true or false", text)
		}
		f.SetBool(b)
	case time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is not a time such as 30s or 5m", text)
		}
		f.SetInt(int64(d))
	default:
		n, err := strconv.ParseInt(text, 10, f.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is not a number", text)
		}
		f.SetInt(n)
	}
	return nil
}

// setAny takes a value as TOML gives it.
func (c *Config) setAny(k Key, v any) error {
	f := reflect.ValueOf(c).Elem().FieldByIndex(k.field)
	switch v := v.(type) {
	case string:
		if _, list := f.Interface().([]string); list {
			return fmt.Errorf("is a list; write [%q]", v)
		}
		return c.set(k, v)
	case bool:
		if f.Kind() == reflect.Bool {
			f.SetBool(v)
			return nil
		}
		if k.Name == "cip.allow-anonymous" {
			return c.set(k, map[bool]string{true: "yes", false: "no"}[v])
		}
	case int64:
		if f.CanInt() {
			if _, duration := f.Interface().(time.Duration); !duration {
				return c.set(k, strconv.FormatInt(v, 10))
			}
		}
	case []any:
		if f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct {
			return setTables(f, v)
		}
		if _, list := f.Interface().([]string); list {
			var out []string
			for _, e := range v {
				s, ok := e.(string)
				if !ok {
					return fmt.Errorf("holds %v; write strings", e)
				}
				out = append(out, s)
			}
			f.Set(reflect.ValueOf(out))
			return nil
		}
	}
	return fmt.Errorf("%v has the wrong type; it is a %s", v, typeName(f))
}

func typeName(f reflect.Value) string {
	switch f.Interface().(type) {
	case string:
		return "string"
	case []string:
		return "list of strings"
	case time.Duration:
		return `time in quotes such as "30s"`
	case bool:
		return "true or false"
	case []CIPPeer:
		return "list of tables"
	}
	return "number"
}

// setTables takes an array of tables whose values are all text.
func setTables(f reflect.Value, tables []any) error {
	t := f.Type().Elem()
	list := reflect.MakeSlice(f.Type(), 0, len(tables))
	for _, table := range tables {
		values, ok := table.(map[string]any)
		if !ok {
			return errors.New("is a list of tables; write each in double brackets")
		}
		row := reflect.New(t).Elem()
		for key, v := range values {
			i := 0
			for i < t.NumField() && t.Field(i).Tag.Get("toml") != key {
				i++
			}
			text, ok := v.(string)
			if on, is := v.(bool); is && key == "tls" {
				text, ok = map[bool]string{true: "starttls", false: "none"}[on], true
			}
			switch {
			case i == t.NumField():
				return fmt.Errorf("unknown key %s; did you mean %s?", key, nearestTag(key, t))
			case !ok:
				return fmt.Errorf("%s: %v has the wrong type; it is a string", key, v)
			}
			row.Field(i).SetString(text)
		}
		list = reflect.Append(list, row)
	}
	f.Set(list)
	return nil
}

// resolve replaces file:PATH and env:NAME by what they hold.
func (c *Config) resolve(k Key, env func(string) (string, bool)) error {
	f := reflect.ValueOf(c).Elem().FieldByIndex(k.field)
	if list, ok := f.Interface().([]string); ok {
		for i, v := range list {
			text, err := secret(k.Name, v, env)
			if err != nil {
				return err
			}
			list[i] = text
		}
		return nil
	}
	text, err := secret(k.Name, f.String(), env)
	if err == nil {
		f.SetString(text)
	}
	return err
}

func secret(key, value string, env func(string) (string, bool)) (string, error) {
	if path, ok := strings.CutPrefix(value, "file:"); ok {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("%s: %w", key, err)
		}
		return strings.TrimSpace(string(text)), nil
	}
	if name, ok := strings.CutPrefix(value, "env:"); ok {
		v, set := env(name)
		if !set {
			return "", fmt.Errorf("%s: the environment variable %s is not set", key, name)
		}
		return v, nil
	}
	return value, nil
}

// Encode writes the settings that differ from the defaults as convene.toml,
// each with its sentence as a comment.
func (c *Config) Encode() []byte {
	var b bytes.Buffer
	def := Default()
	section := ""
	for _, k := range Keys() {
		v := reflect.ValueOf(c).Elem().FieldByIndex(k.field)
		if reflect.DeepEqual(v.Interface(), reflect.ValueOf(def).FieldByIndex(k.field).Interface()) {
			continue
		}
		if peers, ok := v.Interface().([]CIPPeer); ok {
			encodePeers(&b, peers)
			section = ""
			continue
		}
		name := k.Name
		if s, key, ok := strings.Cut(name, "."); ok {
			if s != section {
				fmt.Fprintf(&b, "\n[%s]\n", s)
				section = s
			}
			name = key
		}
		fmt.Fprintf(&b, "# %s\n%s = ", k.Help, name)
		switch v := v.Interface().(type) {
		case string:
			fmt.Fprintf(&b, "%q\n", v)
		case []string:
			quoted := make([]string, len(v))
			for i, s := range v {
				quoted[i] = strconv.Quote(s)
			}
			fmt.Fprintf(&b, "[%s]\n", strings.Join(quoted, ", "))
		case time.Duration:
			fmt.Fprintf(&b, "%q\n", v.String())
		default:
			fmt.Fprintf(&b, "%v\n", v)
		}
	}
	return b.Bytes()
}

func encodePeers(b *bytes.Buffer, peers []CIPPeer) {
	t := reflect.TypeFor[CIPPeer]()
	for _, p := range peers {
		b.WriteString("\n[[cip.peer]]\n")
		for i := range t.NumField() {
			if v := reflect.ValueOf(p).Field(i).String(); v != "" {
				fmt.Fprintf(b, "%s = %q\n", t.Field(i).Tag.Get("toml"), v)
			}
		}
	}
}
