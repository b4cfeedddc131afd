{{/* Names, labels and images. Each takes a dict: root (the chart's scope) and component.
     A long release name is cut, never the component, so that names stay different. */}}

{{- define "longitude.fullname" -}}
{{- $room := sub 62 (len .component) | int -}}
{{- printf "%s-%s" (trunc $room .root.Release.Name | trimSuffix "-") .component -}}
{{- end -}}

{{- define "longitude.selector" -}}
app.kubernetes.io/name: longitude
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "longitude.labels" -}}
{{ include "longitude.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: longitude
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* An image of this product: its digest decides where one is given, the tag is for people then. Takes root and repository. */}}
{{- define "longitude.image" -}}
{{- $named := printf "%s/%s:%s" .root.Values.image.registry .repository (.root.Values.image.tag | default .root.Chart.AppVersion) -}}
{{- $digest := index .root.Values.image.digests .repository | default "" -}}
{{- include "longitude.pinned" (dict "root" .root "image" (ternary (printf "%s@%s" $named $digest) $named (ne $digest ""))) -}}
{{- end -}}

{{/* Any image, refused without a digest where an installation asks for digests. Takes root and image. */}}
{{- define "longitude.pinned" -}}
{{- if and .root.Values.image.requireDigests (not (contains "@sha256:" .image)) -}}
{{- fail (printf "image.requireDigests: %s has no digest" .image) -}}
{{- end -}}
{{- .image -}}
{{- end -}}

{{- define "longitude.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* host:port of a component's gRPC as other pods reach it. */}}
{{- define "longitude.address" -}}
{{- $port := ternary 8001 50051 (eq .component "triton") -}}
{{- printf "%s:%d" (include "longitude.fullname" .) $port -}}
{{- end -}}
