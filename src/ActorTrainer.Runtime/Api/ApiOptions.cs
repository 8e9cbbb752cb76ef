using ActorTrainer.Checkpoints.Outputs;
using ActorTrainer.Checkpoints.Peers;

namespace ActorTrainer.Runtime.Api;

/// <summary>Settings of the HTTP API that are not the node's answers.</summary>
public sealed record ApiOptions
{
    /// <summary>
    /// The shared token; every request must carry it as <c>Authorization: Bearer …</c>. Null: none is asked for (loopback).
    /// </summary>
    public string? Token { get; init; }

    /// <summary>
    /// Whether <see cref="Token"/> is that of the node's user, which other nodes are sent as clients send it: on loopback, and to no other
    /// user's listener.
    /// </summary>
    internal bool IsUserToken { get; init; }

    /// <summary>The clock of polling and time-outs. Default: the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How long another node may take to say what output it keeps. Default 2 s.</summary>
    public TimeSpan PeerTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The output of runs in the checkpoint store; null: there is none to look for.</summary>
    internal FolderOutputs? Outputs { get; init; }

    /// <summary>What this node has of checkpoints, for the other nodes; null: nothing that they may ask for.</summary>
    internal PeerFolder? Peers { get; init; }
}
