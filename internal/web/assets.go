package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// dist is what `go generate` made of ui/src; commit it together with its source.
//
//go:generate go run ./build -ui ../../ui -out dist
//go:embed dist
var dist embed.FS

// assets are the built files: by the name their source has, and by their own.
type assets struct {
	names map[string]string // "main.tsx" → "main-HASH.js"
	files map[string][]byte
	gz    map[string][]byte // compressed, where that is smaller
}

func loadAssets() (*assets, error) {
	a := &assets{names: map[string]string{}, files: map[string][]byte{}, gz: map[string][]byte{}}
	manifest, err := dist.ReadFile("dist/manifest.json")
	if err != nil {
		return nil, fmt.Errorf("web assets: %w; run: make ui", err)
	}
	if err := json.Unmarshal(manifest, &a.names); err != nil {
		return nil, fmt.Errorf("web assets: manifest.json: %w", err)
	}
	entries, err := fs.ReadDir(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("web assets: %w", err)
	}
	for _, e := range entries {
		if a.files[e.Name()], err = dist.ReadFile(path.Join("dist", e.Name())); err != nil {
			return nil, fmt.Errorf("web assets: %w", err)
		}
	}
	for name, body := range a.files {
		if small := compress(body); len(small) < len(body) {
			a.gz[name] = small
		}
	}
	for source, name := range a.names {
		if a.files[name] == nil {
			return nil, fmt.Errorf("web assets: %s of %s is missing; run: make ui", name, source)
		}
	}
	return a, nil
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // fails for unknown levels alone
	_, _ = w.Write(body)                                  // into memory
	_ = w.Close()
	return b.Bytes()
}

// URL is where the built form of a source file is served.
func (a *assets) URL(source string) string { return "/assets/" + a.names[source] }

// ServeHTTP serves /assets/{file}. A name with the hash of its content never
// changes its meaning, so that it may be kept for as long as a cache likes.
func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	body, ok := a.files[name]
	if !ok || name == "manifest.json" {
		http.NotFound(w, r)
		return
	}
	if name == "LICENSES.txt" { // the one name without a hash
		w.Header().Set("Cache-Control", "no-cache")
	} else {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	w.Header().Set("Content-Type", contentType(name))
	w.Header().Set("Vary", "Accept-Encoding")
	if small, ok := a.gz[name]; ok && acceptsGzip(r) {
		w.Header().Set("Content-Encoding", "gzip")
		body = small
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// acceptsGzip reads Accept-Encoding (RFC 9110 12.5.3) as far as browsers write it.
func acceptsGzip(r *http.Request) bool {
	for _, coding := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.ReplaceAll(weight, " ", "") != "q=0"
		}
	}
	return false
}

// contentType does not depend on the machine's own table of types.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}
