using ActorTrainer.Client;

namespace ActorTrainer.Runtime.Api;

/// <summary>Ends a request with an <see cref="ApiProblem"/>.</summary>
internal sealed class ApiProblemException(int status, string error, string advice = "") : Exception(error)
{
    public int Status { get; } = status;

    public string Advice { get; } = advice;
}
