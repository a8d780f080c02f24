{{/* Labels of every object. */}}
{{- define "rollout.labels" -}}
{{ include "rollout.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/part-of: predictors
{{- end }}

{{/* Labels that select the pods; a Deployment does not let them change. */}}
{{- define "rollout.selector" -}}
app.kubernetes.io/name: rollout-controller
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Name of what is the cluster's, or another namespace's. */}}
{{- define "rollout.clusterName" -}}
{{ .Release.Namespace }}-{{ .Release.Name }}
{{- end }}

{{/* The service account, as a RoleBinding names it. */}}
{{- define "rollout.subject" -}}
kind: ServiceAccount
name: {{ .Release.Name }}
namespace: {{ .Release.Namespace }}
{{- end }}

{{/*
What the controller may do where its rollouts are. It drives InferenceServices, and what it makes beside them: routes, autoscalers,
earlier templates, files of what is shadowed. It only looks at Deployments and pods, which are KServe's.
*/}}
{{- define "rollout.rules" -}}
- apiGroups: [rollouts.predictors.dev]
  resources: [inferencerollouts]
  verbs: [get, list, watch]
- apiGroups: [rollouts.predictors.dev]
  resources: [inferencerollouts/status]
  verbs: [get, patch, update]
- apiGroups: [serving.kserve.io]
  resources: [inferenceservices]
  verbs: [get, list, create, update, delete]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, create, update, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, create, update, delete]
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [get, list, create, update, delete]
# Their names follow from the rollouts', so that they cannot be listed here.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, create, update, delete]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list]
- apiGroups: [""]
  resources: [pods, services]
  verbs: [get, list]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end }}
