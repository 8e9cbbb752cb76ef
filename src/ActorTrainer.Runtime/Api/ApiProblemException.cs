using ActorTrainer.Client;

namespace ActorTrainer.Runtime.Api;

/// <summary>Ends a request with an <see cref="ApiProblem"/>.</summary>
internal sealed class ApiProblemException(int status, string error, string advice = "") : Exception(error)
{
    /// <summary>What to do when something cannot be answered now: most of it passes by itself.</summary>
    public const string Later = "try again in a few seconds, or ask another node (--node); 'actortrainer cluster show' says which are up";

    /// <summary>The same where it is the database that does not answer.</summary>
    public const string JournalLater =
        "training goes on; try again in a few seconds, and if it stays so see to the journal's database "
        + "(the log of the node says what is wrong)";

    public int Status { get; } = status;

    public string Advice { get; } = advice;
}
