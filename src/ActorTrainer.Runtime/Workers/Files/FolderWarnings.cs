using ActorTrainer.Checkpoints;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>Says each thing once, and not too many.</summary>
internal sealed class FolderWarnings(Action<string> say)
{
    /// <summary>As many different things are said of one run.</summary>
    private const int Most = 20;

    private readonly HashSet<string> _said = [];

    public void Say(string what)
    {
        if (_said.Count < Most && _said.Add(what))
        {
            say(NativeNames.Shown(what));
        }
    }
}
