using ActorTrainer.Build.Suites;
using Mono.Cecil;

namespace ActorTrainer.Build.Tests.Suites;

/// <summary>The assemblies are made by the tests, so that no test of this suite has to carry the traits.</summary>
public sealed class SlowTestsTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();
    private readonly AssemblyDefinition _assembly = AssemblyDefinition.CreateAssembly(
        new AssemblyNameDefinition("A", new Version(1, 0)),
        "A",
        ModuleKind.Dll
    );

    public void Dispose()
    {
        _assembly.Dispose();
        File.Delete(_file);
    }

    [Fact]
    public void Read_ClassesAndMethods_AreNamedByTheirTraits()
    {
        Mark(AddClass("Quick"), "Lane", "Fast");
        Mark(AddClass("Slow"), "Lane", "Slow");
        Mark(AddClass("Equipped"), "Requires", "torch");
        TypeDefinition mixed = AddClass("Mixed");
        MethodDefinition method = new("Slowly", MethodAttributes.Public, _assembly.MainModule.TypeSystem.Void);
        mixed.Methods.Add(method);
        Mark(method, "Lane", "Slow");

        SlowTests slow = Read();

        slow.Whole.ShouldBeFalse();
        slow.Names.ShouldBe(["Equipped", "Mixed.Slowly", "Slow"]);
    }

    [Fact]
    public void Read_MarkedAssembly_IsWhollySlow()
    {
        Mark(_assembly, "Lane", "Slow");

        Read().Whole.ShouldBeTrue();
    }

    private TypeDefinition AddClass(string name)
    {
        TypeDefinition type = new("", name, TypeAttributes.Public, _assembly.MainModule.TypeSystem.Object);
        _assembly.MainModule.Types.Add(type);
        return type;
    }

    private void Mark(ICustomAttributeProvider what, string name, string value)
    {
        ModuleDefinition module = _assembly.MainModule;
        CustomAttribute attribute = new(module.ImportReference(typeof(TraitAttribute).GetConstructor([typeof(string), typeof(string)])));
        attribute.ConstructorArguments.Add(new CustomAttributeArgument(module.TypeSystem.String, name));
        attribute.ConstructorArguments.Add(new CustomAttributeArgument(module.TypeSystem.String, value));
        what.CustomAttributes.Add(attribute);
    }

    private SlowTests Read()
    {
        _assembly.Write(_file);
        return SlowTests.Read(_file);
    }
}
