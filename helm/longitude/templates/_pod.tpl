{{/* What every pod has in common: Pod Security "restricted", no token, no root, nothing to write but /tmp. */}}

{{- define "longitude.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "longitude.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Spread over nodes and zones where there are several. Takes root and component. */}}
{{- define "longitude.spread" -}}
topologySpreadConstraints:
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "longitude.selector" $ | nindent 8 }}
  {{- end }}
{{- end -}}

{{/* LONGITUDE_* variables from Secrets. Takes a service. */}}
{{- define "longitude.secretEnv" -}}
{{- range $name, $secret := .secrets }}
- name: LONGITUDE_{{ $name }}
  valueFrom:
    secretKeyRef: {name: {{ $secret.name }}, key: {{ $secret.key }}{{ if $secret.optional }}, optional: true{{ end }}}
{{- end }}
{{- end -}}

{{/* Where a process may write although its root file system is read-only. */}}
{{- define "longitude.writableEnv" -}}
- {name: HOME, value: /tmp}
- {name: PYTHONDONTWRITEBYTECODE, value: "1"}
{{- end -}}
