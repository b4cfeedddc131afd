{{/* A service's LONGITUDE_* variables that are no secrets. Takes root, component (its name) and service. */}}
{{- define "longitude.settings" -}}
{{- $root := .root -}}
{{- $calls := .service.calls -}}
LONGITUDE_LOG_LEVEL: {{ $root.Values.logLevel | quote }}
LONGITUDE_HTTP_LISTEN: "0.0.0.0:8080"
LONGITUDE_GRPC_LISTEN: "0.0.0.0:50051"
LONGITUDE_SHUTDOWN_GRACE: {{ sub .service.terminationGracePeriodSeconds 10 | quote }}
{{- include "longitude.tlsSettings" $root }}
{{- include "longitude.identitySettings" $root }}
LONGITUDE_KAFKA: {{ $root.Values.kafka.bootstrap | quote }}
{{- if eq $root.Values.kafka.security "plaintext" }}
LONGITUDE_KAFKA_PLAINTEXT: "true"
{{- end }}
{{- include "longitude.serverSettings" (dict "root" $root "calls" $calls) }}
{{- with $root.Values.otlpEndpoint }}
LONGITUDE_OTLP_ENDPOINT: {{ . | quote }}
{{- end }}
{{- if has "objects" $calls }}
LONGITUDE_OBJECTS: {{ $root.Values.objects.endpoint | quote }}
{{- end }}
{{- if has "qdrant" $calls }}
{{- if ne (hasPrefix "https://" $root.Values.qdrant.url) (eq $root.Values.qdrant.security "tls") }}
{{- fail "qdrant: https:// is for security tls, http:// for plaintext" }}
{{- end }}
LONGITUDE_QDRANT: {{ $root.Values.qdrant.url | quote }}
{{- end }}
{{- range $calls }}
{{- if not (or (has . (list "kafka" "postgres" "objects" "qdrant" "triton")) (hasKey $root.Values.services .)) }}
{{- fail (printf "calls: %s is neither a server nor a service" .) }}
{{- end }}
{{- if or (eq . "triton") (hasKey $root.Values.services .) }}
LONGITUDE_{{ upper . }}: {{ include "longitude.address" (dict "root" $root "component" .) | quote }}
{{- end }}
{{- end }}
{{- range $socket, $port := .service.sockets }}
LONGITUDE_{{ upper $socket }}_LISTEN: {{ printf "0.0.0.0:%d" (int $port) | quote }}
{{- end }}
{{- $settings := .service.settings }}
{{- if and (eq .component "auditing") $root.Values.witness.enabled }}
{{- $own := printf "http://%s:8080" (include "longitude.fullname" (dict "root" $root "component" "witness")) }}
{{- $settings = merge (dict "WITNESSES" (printf "%s %s" $own (get $settings "WITNESSES") | trim)) $settings }}
{{- end }}
{{- range $key, $value := $settings }}
LONGITUDE_{{ $key }}: {{ $value | quote }}
{{- end }}
{{- end -}}
