using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Cluster.Configuration;

/// <summary>A value that <c>derived.conf</c> refers to as <c>${derived.NAME}</c>.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Value">The value; its origin object is this value's alone, so that it can be told in a resolved tree.</param>
/// <param name="Key">The key below <c>actortrainer</c> that it comes from.</param>
/// <param name="KeyValue">What that key is, for messages.</param>
/// <param name="Place">Where the user wrote the key; null when it is a default.</param>
internal sealed record DerivedValue(string Name, ConfigNode Value, string Key, ConfigNode KeyValue, ConfigOrigin? Place)
{
    /// <summary>When a value of the user's own in its place is a contradiction.</summary>
    public DerivedRule Rule { get; init; } = DerivedRule.Tunable;

    /// <summary>How a value of the user's own is compared with it.</summary>
    public DerivedKind Kind { get; init; } = DerivedKind.Text;

    /// <summary>Another way to write the same value.</summary>
    public string? Alias { get; init; }

    /// <summary>Whether it may hold a password, which no message shows.</summary>
    public bool Secret { get; init; }

    /// <summary>What to do when the user's own value contradicts it.</summary>
    public string Remedy { get; init; } = "remove one of them";

    /// <summary>Where the key stands, as messages say it.</summary>
    public string PlaceText => Place?.ToString() ?? "default";
}

/// <summary>When a value of the user's own contradicts a derived one.</summary>
internal enum DerivedRule
{
    /// <summary>When it differs at all: the cluster would not find itself, or nodes would write to different journals.</summary>
    Identity,

    /// <summary>When it differs and the user wrote the key below <c>actortrainer</c> as well; otherwise it wins.</summary>
    Tunable,

    /// <summary>Never: it is a default that suits what it is derived from.</summary>
    Free,
}

/// <summary>How values are compared.</summary>
internal enum DerivedKind
{
    /// <summary>As they are written.</summary>
    Text,

    /// <summary>As numbers: 8 is 8.0.</summary>
    Number,

    /// <summary>As durations the way Akka.NET reads them: 2 s is 2000 ms and 2000.</summary>
    Duration,

    /// <summary>As lists, item by item in their order.</summary>
    List,

    /// <summary>As lists in any order, where the user's own may have more items.</summary>
    AtLeast,
}
