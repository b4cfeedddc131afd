{{/* Every topic of files/topics.yaml and a dead-letter topic for each of its consumers, as a YAML list `topics`. */}}
{{- define "longitude.topics" -}}
{{- $document := .Files.Get "files/topics.yaml" | fromYaml -}}
topics:
{{- range $topic := $document.topics }}
  - {name: {{ $topic.name }}, partitions: {{ $topic.partitions }}, retention: {{ $topic.retention_ms | int64 | quote }}}
  {{- range $topic.consumers }}
  - {name: dlq.{{ . }}.{{ $topic.name }}, partitions: {{ $document.dead_letters.partitions }}, retention: {{ $document.dead_letters.retention_ms | int64 | quote }}}
  {{- end }}
{{- end }}
{{- end -}}
