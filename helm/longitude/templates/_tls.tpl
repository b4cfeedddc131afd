{{/* Mutual TLS: each process has the Secret <its name>-tls with tls.crt, tls.key and ca.crt. */}}

{{- define "longitude.tlsSettings" -}}
{{- if eq .Values.tls.from "plaintext" }}
LONGITUDE_PLAINTEXT: "true"
{{- else }}
LONGITUDE_TLS_CERTIFICATE: /etc/longitude/tls/tls.crt
LONGITUDE_TLS_KEY: /etc/longitude/tls/tls.key
LONGITUDE_TLS_AUTHORITY: /etc/longitude/tls/ca.crt
{{- end }}
{{- end -}}

{{/* Takes the chart's scope: who says who people are. */}}
{{- define "longitude.identitySettings" -}}
{{- with .Values.identity }}
LONGITUDE_ISSUER: {{ .issuer | quote }}
LONGITUDE_AUDIENCE: {{ .audience | quote }}
LONGITUDE_ROLES_CLAIM: {{ .rolesClaim | quote }}
{{- end }}
{{- end -}}

{{/* Items of volumeMounts and of volumes; the latter takes root and component. Never subPath: a renewed Secret must arrive. */}}
{{- define "longitude.tlsMount" -}}
{{- if ne .Values.tls.from "plaintext" }}
- {name: tls, mountPath: /etc/longitude/tls, readOnly: true}
{{- end }}
{{- end -}}

{{- define "longitude.tlsVolume" -}}
{{- if ne .root.Values.tls.from "plaintext" }}
- name: tls
  secret: {secretName: {{ include "longitude.fullname" . }}-tls, defaultMode: 0440}
{{- end }}
{{- end -}}

{{/* The same for the servers of others, each by TLS to a certificate of the authority in a Secret (ca.crt). Takes root and calls. */}}
{{- define "longitude.serverSettings" -}}
{{- range $name := list "postgres" "objects" "qdrant" }}
{{- $server := index $.root.Values $name }}
{{- if has $name $.calls }}
{{- if eq $server.security "plaintext" }}
LONGITUDE_{{ upper $name }}_PLAINTEXT: "true"
{{- else if $server.authority }}
LONGITUDE_{{ upper $name }}_AUTHORITY: /etc/longitude/{{ $name }}/ca.crt
{{- else if eq $.root.Values.tls.from "plaintext" }}
{{- fail (printf "%s.authority: name the Secret of its authority, since tls.from is plaintext, or set %s.security: plaintext" $name $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "longitude.serverMounts" -}}
{{- range $name := list "postgres" "objects" "qdrant" }}
{{- $server := index $.root.Values $name }}
{{- if and (has $name $.calls) (eq $server.security "tls") $server.authority }}
- {name: {{ $name }}-authority, mountPath: /etc/longitude/{{ $name }}, readOnly: true}
{{- end }}
{{- end }}
{{- end -}}

{{- define "longitude.serverVolumes" -}}
{{- range $name := list "postgres" "objects" "qdrant" }}
{{- $server := index $.root.Values $name }}
{{- if and (has $name $.calls) (eq $server.security "tls") $server.authority }}
- name: {{ $name }}-authority
  secret: {secretName: {{ $server.authority }}, items: [{key: ca.crt, path: ca.crt}], defaultMode: 0440}
{{- end }}
{{- end }}
{{- end -}}

{{/* What gRPC is to a gateway: without TLS, HTTP/2 at once. */}}
{{- define "longitude.appProtocol" -}}
{{- if eq .Values.tls.from "plaintext" }}, appProtocol: kubernetes.io/h2c{{ end -}}
{{- end -}}
