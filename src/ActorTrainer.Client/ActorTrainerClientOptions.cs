using ActorTrainer.Core.Identity;

namespace ActorTrainer.Client;

/// <summary>How a client finds and talks to a cluster.</summary>
public sealed record ActorTrainerClientOptions
{
    /// <summary>Nodes to ask, in this order. Default: 127.0.0.1:7400.</summary>
    public IReadOnlyList<NodeAddress> Nodes { get; init; } = [new("127.0.0.1", 7400)];

    /// <summary>
    /// The cluster's token. Null: nodes on loopback are sent the token of the user that this program runs as
    /// (<c>~/.config/actortrainer/token</c>, made by the user's first node), others none.
    /// </summary>
    public string? Token { get; init; }

    /// <summary>
    /// How long one node may take to answer before the next one is asked. Default 5 s; four times that when no node answers at all.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long following (output, waiting) bears that no node answers. Default 5 min.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The clock of polling and time-outs. Default: the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>The cluster refused a request, or could not do it now.</summary>
/// <param name="status">The HTTP status: 404 unknown, 409 refused, 503 not now, 401 token.</param>
/// <param name="problem">What was wrong.</param>
/// <param name="advice">What to do, or empty.</param>
public sealed class ActorTrainerApiException(int status, string problem, string advice)
    : Exception(advice.Length > 0 ? $"{problem}; {advice}" : problem)
{
    /// <summary>The HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>What was wrong.</summary>
    public string Problem { get; } = problem;

    /// <summary>What to do, or empty.</summary>
    public string Advice { get; } = advice;

    /// <summary>Whether asking again may help.</summary>
    public bool IsUnavailable => Status is 502 or 503;
}

/// <summary>No known node answered.</summary>
public sealed class NoNodeException(IReadOnlyList<NodeAddress> asked, Exception? inner = null)
    : Exception($"no node answers at {string.Join(", ", asked)}; start one with 'actortrainer node' or give --node", inner)
{
    /// <summary>The addresses that were asked.</summary>
    public IReadOnlyList<NodeAddress> Asked { get; } = asked;
}

/// <summary>A node took a command and its answer was lost: it may have been done.</summary>
public sealed class UnknownOutcomeException(NodeAddress node, Exception inner)
    : Exception(
        $"{node} took the command and its answer was lost, so it may have been done; "
            + "look with 'actortrainer tasks ls' before sending it again",
        inner
    );
