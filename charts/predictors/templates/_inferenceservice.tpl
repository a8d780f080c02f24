{{/* What an InferenceService is, so that a rollout's template is the same. */}}

{{/* Its labels and annotations: (list ROOT MODEL). */}}
{{- define "predictors.serviceMetadata" -}}
{{- $root := index . 0 }}
{{- $model := index . 1 -}}
# KServe copies labels and annotations to the pods, so a change restarts them.
labels:
{{- include "predictors.labels" $root | nindent 2 }}
{{- with include "predictors.volumeLabel" (list $root $model.storageUri) }}{{ . | nindent 2 }}{{ end }}
{{- with $model.labels }}
{{- toYaml . | nindent 2 }}
{{- end }}
annotations:
  serving.kserve.io/deploymentMode: {{ $root.Values.kserve.deploymentMode }}
{{- if eq $root.Values.kserve.deploymentMode "Standard" }}
  serving.kserve.io/autoscalerClass: {{ $model.class }}
{{- end }}
{{- with $model.storage.secretName }}
  # The first is how KServe's kustomize install reads it, the second its Helm chart.
  serving.kserve.io/storageSecretName: {{ . }}
  serving.kserve.io/secretName: {{ . }}
{{- end }}
{{- if $model.tls.secretName }}
  # Where metrics are without TLS, for the rollout controller and for Prometheus.
  predictors.dev/metrics-port: "8082"
{{- if hasKey $root.Values.monitoring.annotations "prometheus.io/port" }}
  prometheus.io/port: "8082"
{{- end }}
{{- end }}
{{- with $model.annotations }}
{{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Its `spec.predictor`: (list ROOT NAME MODEL CANARY), where CANARY may be nil. With Knative, the canary is the newest revision of it. */}}
{{- define "predictors.predictor" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
{{- $artifact := $model }}
{{- if eq $root.Values.kserve.deploymentMode "Standard" }}
{{- include "predictors.standard" . }}
{{- else }}
{{- $artifact = index . 3 | default $model }}
{{- include "predictors.knative" . }}
{{- end }}
{{- with include "predictors.download" (list $root $artifact) }}{{ . | nindent 0 }}{{ end }}
model:
{{- include "predictors.container" (list $root $name $model $artifact) | nindent 2 }}
{{- end }}
